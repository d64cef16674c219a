"""How the settings let a bot look: as its team likes, and so that everyone can read it."""

import re
from pathlib import Path

import pytest

from stacks.checks import SettingsError
from stacks.colours import DARK, LEAST_CONTRAST, LIGHT, contrast, least_contrast, readable
from stacks.looks import Looks

STYLE = Path(__file__).parents[2] / "lambda" / "chatbot" / "web" / "style.css"
BRANDS = ("#2f5fdd", "#ff8800", "#ffff00", "#7a1fa2", "#000000", "#ffffff", "#00aa55", "#e2001a")


def test_a_bot_greets_with_its_name_unless_it_is_told_how() -> None:
    """And has a colour for a dark page, found from the one for a light page."""
    looks = Looks(bot_name="Ada")

    assert looks.greeting == "Hello, I am Ada. What would you like to know?"
    assert Looks(bot_name="Ada", greeting="Ahoy!").greeting == "Ahoy!"
    assert looks.accent_dark != looks.accent
    assert Looks(bot_name="Ada", accent_dark="#FFFF00").variables["ACCENT_DARK"] == "#ffff00"


def test_contrast_is_what_wcag_counts() -> None:
    """Black on white is all there is; the grey 767676 is the lightest that is readable on white."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#ffffff", "#767676") == pytest.approx(4.54, abs=0.005)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("scheme", [LIGHT, DARK])
@pytest.mark.parametrize("colour", BRANDS)
def test_every_colour_has_a_readable_neighbour_in_either_scheme(colour: str, scheme: object) -> None:
    """Which is the colour itself, if it is readable."""
    found = readable(colour, scheme)  # type: ignore[arg-type]

    assert least_contrast(found, scheme) >= LEAST_CONTRAST  # type: ignore[arg-type]
    assert readable(found, scheme) == found  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"accent": "#ff8800"}, "accent '#ff8800' is hard to read on the light page: its contrast is 2.2, WCAG"),
        ({"accent": "#ff8800"}, "the nearest that has it is '#ab5b00'"),
        ({"accent_dark": "#2f5fdd"}, "accent_dark '#2f5fdd' is hard to read on the dark page"),
        ({"accent": "blue"}, "accent: 'blue' is no colour such as '#2f5fdd'"),
        ({"bot_name": ""}, "bot_name is one line of 1 to 40 characters"),
        ({"bot_name": "a" * 41}, "bot_name is one line of 1 to 40 characters"),
        ({"greeting": "two\nlines"}, "greeting is one line of 1 to 300 characters"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_one_line(change: dict[str, str], said: str) -> None:
    """Which setting, what is wrong with it, and what to write instead."""
    with pytest.raises(SettingsError, match=re.escape(said)) as caught:
        Looks(**{"bot_name": "Ada"} | change)

    assert "\n" not in str(caught.value)


def test_colours_are_judged_on_the_grounds_that_the_page_has() -> None:
    """The style sheet's own, in the order light, dark."""
    style = STYLE.read_text()
    grounds, surfaces = re.findall(r"--ground: (#\w+);", style), re.findall(r"--surface: (#\w+);", style)

    assert [LIGHT.grounds, DARK.grounds] == list(zip(grounds, surfaces, strict=True))

"""How a bot presents itself: its name, its greeting and its colour, checked so that everyone can read the page."""

from dataclasses import dataclass

from stacks.checks import check
from stacks.colours import COLOUR, DARK, LEAST_CONTRAST, LIGHT, Scheme, least_contrast, readable

ACCENT = "#2f5fdd"
GREETING = "Hello, I am {bot_name}. What would you like to know?"


@dataclass(frozen=True, kw_only=True)
class Looks:
    """What the settings say, completed; raises `SettingsError` for what cannot be shown or read."""

    bot_name: str
    greeting: str = ""
    accent: str = ACCENT
    accent_dark: str = ""

    def __post_init__(self) -> None:
        _check_line("bot_name", self.bot_name, longest=40)
        if not self.greeting:
            object.__setattr__(self, "greeting", GREETING.format(bot_name=self.bot_name))
        _check_line("greeting", self.greeting, longest=300)
        _check_colour("accent", self.accent, LIGHT)
        if not self.accent_dark:
            object.__setattr__(self, "accent_dark", readable(self.accent, DARK))
        _check_colour("accent_dark", self.accent_dark, DARK)

    @property
    def variables(self) -> dict[str, str]:
        """The variables by which ``chatbot.settings`` learns of it."""
        return {
            "BOT_NAME": self.bot_name,
            "GREETING": self.greeting,
            "ACCENT": self.accent.lower(),
            "ACCENT_DARK": self.accent_dark.lower(),
        }


def _check_line(name: str, text: str, *, longest: int) -> None:
    check(
        1 <= len(text) <= longest and text.isprintable() and text == text.strip(),
        f"{name} is one line of 1 to {longest} characters, got {text!r}",
    )


def _check_colour(name: str, colour: str, scheme: Scheme) -> None:
    check(COLOUR.fullmatch(colour), f"{name}: {colour!r} is no colour such as {ACCENT!r}")
    found = least_contrast(colour, scheme)
    check(
        found >= LEAST_CONTRAST,
        f"{name} {colour!r} is hard to read on the {scheme.name} page: its contrast is {found:.1f}, "
        f"WCAG AA asks for {LEAST_CONTRAST}; the nearest that has it is {readable(colour, scheme)!r}",
    )

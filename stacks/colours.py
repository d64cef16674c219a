"""Whether a colour can be read on the chat page, as WCAG 2.2 counts it, and which one near to it can."""

import re
from dataclasses import dataclass

COLOUR = re.compile("#[0-9a-fA-F]{6}")
# https://www.w3.org/TR/WCAG22/#contrast-minimum
LEAST_CONTRAST = 4.5
STEPS = 64

type Channels = tuple[float, float, float]


@dataclass(frozen=True)
class Scheme:
    """One of the page's two colour schemes: what accents stand on there, as in ``lambda/chatbot/web/style.css``."""

    name: str
    grounds: tuple[str, ...]
    towards: str
    """Where a colour goes to stand out more."""


LIGHT = Scheme("light", grounds=("#ffffff", "#f4f5f7"), towards="#000000")
DARK = Scheme("dark", grounds=("#14161b", "#1f2229"), towards="#ffffff")


def contrast(colour: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""
    darker, lighter = sorted((_luminance(colour), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def least_contrast(colour: str, scheme: Scheme) -> float:
    """Return the contrast of a colour with the ground of a scheme on which it stands out least."""
    return min(contrast(colour, ground) for ground in scheme.grounds)


def readable(colour: str, scheme: Scheme) -> str:
    """Return the colour nearest to ``colour`` that can be read in a scheme: itself, if it can."""
    mixed = (_mixed(colour, scheme.towards, step / STEPS) for step in range(STEPS + 1))
    return next(found for found in mixed if least_contrast(found, scheme) >= LEAST_CONTRAST)


def _luminance(colour: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _channels(colour))
    return sum(weight * channel for weight, channel in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _mixed(colour: str, other: str, share: float) -> str:
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(255 * (a + (b - a) * share)):02x}" for a, b in pairs)


def _channels(colour: str) -> Channels:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue

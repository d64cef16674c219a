"""How a bot presents itself: its name, what it says first, and its colour."""

from __future__ import annotations

from dataclasses import dataclass

COLOUR = "#[0-9a-f]{6}"


@dataclass(frozen=True, kw_only=True)
class Looks:
    """What the settings say about it; they check, too, that the colours can be read on the page."""

    bot_name: str
    greeting: str
    accent: str
    """The colour of what can be pressed, such as ``#2f5fdd``, on a light page."""
    accent_dark: str
    """The same on a dark page."""

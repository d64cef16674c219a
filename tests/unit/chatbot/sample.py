"""The knowledge that these tests speak of: the repository's first, wherever it is now."""

from pathlib import Path

FIRST, PUT_ASIDE = Path(__file__).parents[3] / "knowledge", Path(__file__).with_name("knowledge")
KNOWLEDGE = PUT_ASIDE if PUT_ASIDE.is_dir() else FIRST

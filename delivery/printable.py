"""Someone else's text, made fit for a terminal."""


def one_line(text: str) -> str:
    """Return text as one line that only prints."""
    return "".join(character if character.isprintable() else " " for character in " ".join(text.split()))

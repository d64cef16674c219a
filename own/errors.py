"""What a person has to put right first."""


class OwnError(Exception):
    """One line: what is wrong, where, and what to do. Nothing has been changed."""

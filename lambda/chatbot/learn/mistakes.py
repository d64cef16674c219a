"""The mistake that a knowledge file can have; whoever learns from files tells it in one line."""


class KnowledgeError(ValueError):
    """A knowledge file cannot be learned; the message names the file, the line and what to do."""

"""What can go wrong in a way that deserves one line instead of a traceback."""


class UserError(Exception):
    """A mistake of whoever typed the command: what, where and what to do next, in one line (exit code 2)."""


class RehearsalError(Exception):
    """The rehearsal itself could not go on: a command of the project failed, or the cloud went away (exit code 1)."""

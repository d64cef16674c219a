"""Starts the bot on this machine; until it serves there is nothing to tidy up, so a Ctrl-C just ends it."""

from __future__ import annotations

import signal
import sys


def run() -> int:
    # The imports and the learning take seconds, and Python's own handler would show where in them it was.
    # A job in the background ignores the Ctrl-C that is for another, as its shell has it.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from chatbot.serve.bot import main

    return main()


sys.exit(run())

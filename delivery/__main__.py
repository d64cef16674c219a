"""``python -m delivery``."""

import os
import signal
import sys


def run() -> int:
    """Run the command line; a Ctrl-C, and a reader that has gone, end it without a traceback at any time."""
    try:
        # Takes a moment, in which somebody may press Ctrl-C.
        from delivery.cli import main

        code = main(sys.argv[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # What is left would be written once more at the end.
        # https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    return code


sys.exit(run())

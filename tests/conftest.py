"""What holds for every test."""

import signal

# A runner that was started in the background ignores Ctrl-C, and whatever it starts would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

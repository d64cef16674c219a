"""``python -m delivery.interruptible MODULE ARGS...``: runs a module that Ctrl-C ends without a traceback.

For programs that only start another one, or print a line: there is nothing that they would have to tidy up.
"""

import runpy
import signal
import sys

if __name__ == "__main__":
    # A shell that starts a job in the background has it ignore the Ctrl-C that is for another: so be it.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)

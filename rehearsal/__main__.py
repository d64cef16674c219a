"""``python -m rehearsal``."""

import os
import sys

from rehearsal.cli import main
from rehearsal.commands import process_environment

# The caller's profile, credentials or endpoints must reach no AWS client of this process either.
environment = process_environment({})
os.environ.clear()
os.environ.update(environment)
sys.exit(main(sys.argv[1:]))

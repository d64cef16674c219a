"""Lambda: deployed zips run as real processes, against a local Runtime API."""

from rehearsal.functions.invocation import Invocation
from rehearsal.functions.service import Functions

__all__ = ["Functions", "Invocation"]

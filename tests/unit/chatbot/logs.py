"""A logger for a test."""

import logging
from typing import TextIO

from aws_lambda_powertools import Logger

SERVICE = "test"


def logger_into(stream: TextIO | None = None) -> Logger:
    """Return a logger that writes into ``stream``, and forget the one before.

    Each logger adds a filter to every handler there is, and is asked about by every later one: a thousand tests would
    spend more on those than on what they test.
    """
    logging.Logger.manager.loggerDict.pop(SERVICE, None)
    for handler in logging.root.handlers:
        handler.filters.clear()
    return Logger(service=SERVICE, stream=stream)

"""Client request tokens: a transaction that is sent again is done once."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from itertools import takewhile
from typing import Any

from rehearsal.protocol import ServiceError

VALID_SECONDS = 600


class Tokens:
    """The tokens of one account and region, each for ten minutes after the transaction that used it first.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html#DDB-TransactWriteItems-request-ClientRequestToken
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._used: dict[str, tuple[float, bytes]] = {}

    def knows(self, parameters: Mapping[str, Any]) -> bool:
        """Tell whether this very transaction was done; raises ``ServiceError`` when it was another one."""
        self._forget()
        _, digest = self._used.get(parameters.get("ClientRequestToken", ""), (0, b""))
        if digest and digest != _digest(parameters):
            message = "The request has the client request token of an earlier one, but other parameters"
            raise ServiceError("IdempotentParameterMismatchException", message)
        return bool(digest)

    def keep(self, parameters: Mapping[str, Any]) -> None:
        """Remember that this transaction was done."""
        if token := parameters.get("ClientRequestToken"):
            self._used[token] = (self._clock() + VALID_SECONDS, _digest(parameters))

    def _forget(self) -> None:
        now = self._clock()
        # The oldest come first.
        for token in list(takewhile(lambda token: self._used[token][0] <= now, self._used)):
            del self._used[token]


def _digest(parameters: Mapping[str, Any]) -> bytes:
    text = json.dumps(parameters, sort_keys=True, default=lambda value: value.hex())
    return hashlib.sha256(text.encode()).digest()

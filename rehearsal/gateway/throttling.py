"""Throttling: a token bucket for every method of a stage."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rehearsal.gateway.call import Call, RefusedError

ACCOUNT_RATE, ACCOUNT_BURST = 10_000.0, 5_000.0
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"""


@dataclass
class Bucket:
    """Tokens left, and when that was."""

    tokens: float
    moment: float


class Throttling:
    """Lets calls through at the rate and with the burst of their stage's method settings.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[tuple[str, ...], Bucket] = {}
        self._lock = threading.Lock()

    def admit(self, call: Call) -> None:
        """Take a token for ``call``, or raise ``RefusedError``."""
        rate, burst = limits(call)
        key = (call.stage.account, call.stage.region, call.stage.api_id, call.stage.name, call.resource, call.method)
        with self._lock:
            now = self._clock()
            bucket = self._buckets.setdefault(key, Bucket(burst, now))
            bucket.tokens = min(burst, bucket.tokens + (now - bucket.moment) * rate)
            bucket.moment = now
            if bucket.tokens < 1:
                raise RefusedError("THROTTLED", "Too Many Requests")
            bucket.tokens -= 1


def limits(call: Call) -> tuple[float, float]:
    """Return rate and burst: the method's own settings, else the stage's, else the account's."""
    resource = call.resource.lstrip("/").replace("/", "~1")
    for key in (f"{resource}/{call.method}", f"~1{resource}/{call.method}", "*/*"):
        if (settings := call.stage.settings.get(key)) is not None:
            rate = _limit(settings, "throttlingRateLimit", ACCOUNT_RATE)
            return rate, _limit(settings, "throttlingBurstLimit", ACCOUNT_BURST)
    return ACCOUNT_RATE, ACCOUNT_BURST


def _limit(settings: Mapping[str, object], name: str, otherwise: float) -> float:
    """A negative limit, which Terraform sends for none, disables the method's own."""
    value = settings.get(name)
    return float(value) if isinstance(value, int | float) and value >= 0 else otherwise

"""A JSON API over HTTPS: the token kept out of sight, limits of rate waited for, refusals said in one line."""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit

from requests import RequestException, Session
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import MaxRetryError
from urllib3.util import Retry

from delivery.errors import DeliveryError, UsageError

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

TIMEOUT_SECONDS: Final = (5, 30)
TRIES: Final = 6
LONGEST_WAIT_SECONDS: Final = 300
"""A build that sleeps is paid for."""

PASSING: Final = frozenset({429, 500, 502, 503, 504})
FORBIDDEN: Final = 403
SAID: Final = 300


@dataclass(frozen=True)
class Token(AuthBase):
    """The header that ``secret`` travels in; as ``auth`` it takes precedence over a ``.netrc``."""

    header: str
    secret: str

    def __call__(self, request: "PreparedRequest") -> "PreparedRequest":
        """Add the header to ``request``."""
        request.headers["Authorization"] = self.header
        return request

    def __repr__(self) -> str:
        return "Token(…)"

    def hidden_in(self, text: str) -> str:
        """Return ``text`` without the token: a service, or a proxy before it, may repeat what it was sent."""
        for part in (self.header.partition(" ")[2], self.secret):
            text = text.replace(part, "…")
        return text


class Patience(Retry):
    """Waits as long as the service says: it may say so with 429, or with 403, which else means what it says.

    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
    """

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        """Tell whether an answer may be one of those to wait for; ``increment`` sees its headers."""
        return status_code == FORBIDDEN or super().is_retry(method, status_code, has_retry_after)

    def increment(self, method: str | None = None, url: str | None = None, *args: Any, **known: Any) -> "Patience":
        """Count a try; raises ``MaxRetryError``, which returns the answer as it is, where waiting is no use."""
        response = known.get("response")
        if response is not None:
            wait = self.get_retry_after(response)
            hopeless = wait is None and response.status == FORBIDDEN
            if hopeless or (wait or 0) > LONGEST_WAIT_SECONDS:
                raise MaxRetryError(known["_pool"], url or "")
        return super().increment(method, url, *args, **known)

    def get_retry_after(self, response: Any) -> float | None:
        """Return how many seconds to wait, in whichever header the service says so."""
        wait = super().get_retry_after(response)
        if wait is None and response.headers.get("x-ratelimit-remaining") == "0":
            reset = _reset(response)
            return None if reset is None else max(0.0, reset - time.time())
        return wait


@dataclass(frozen=True)
class Answer:
    """What the service answered, and where the next page is, if there is one."""

    body: Any
    next: str


class Rest:
    """The API at ``base`` of the service called ``name``; ``needs`` says what its token must be allowed to do."""

    def __init__(
        self, name: str, base: str, token: Token, *, needs: str, headers: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        parts = urlsplit(base)
        if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise UsageError(f"{name}'s address {base!r} is not https")
        self.name, self._base, self._needs = name, base.rstrip("/") + "/", needs
        self._session, self._token = Session(), token
        self._session.auth = token
        self._session.headers.update({"Accept": "application/json", "User-Agent": "parley", **headers})
        # A POST that was answered by 502 may have been heeded: whoever adds looks again afterwards.
        patience = Patience(
            total=TRIES, status_forcelist=PASSING, allowed_methods=None, backoff_factor=0.5, raise_on_status=False
        )
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=patience))

    def ask(self, method: str, path: str, body: object = None) -> Answer:
        """Return the answer to one request; raises ``DeliveryError`` for any but a success."""
        try:
            address = urljoin(self._base, path)
        except ValueError as error:
            raise DeliveryError(f"{self.name} leads to what is no address: not followed") from error
        if not address.startswith(self._base):
            raise DeliveryError(f"{self.name} leads elsewhere ({urlsplit(address).hostname}): not followed")
        try:
            # A redirect would turn a POST into a GET.
            response = self._session.request(method, address, json=body, timeout=TIMEOUT_SECONDS, allow_redirects=False)
        except RequestException as error:
            raise DeliveryError(f"{self.name} cannot be reached: {self._line(str(error))}") from error
        if not 200 <= response.status_code < 300:
            raise DeliveryError(f"{self.name}: {self._refusal(method, path, response)}")
        return Answer(self._json(response), response.links.get("next", {}).get("url", ""))

    def pages(self, path: str) -> Iterator[Any]:
        """Yield the pages of a list, as the ``Link`` header or the body's ``next`` name them."""
        seen: set[str] = set()
        while path:
            if path in seen:
                raise DeliveryError(f"{self.name}'s pages lead back to one that was read: not followed")
            seen.add(path)
            answer = self.ask("GET", path)
            yield answer.body
            path = answer.next or (answer.body.get("next") or "" if isinstance(answer.body, dict) else "")

    @contextmanager
    def reading(self, what: str) -> Iterator[None]:
        """Turn what an answer of another form raises inside the block into a ``DeliveryError``."""
        try:
            yield
        except (LookupError, TypeError, AttributeError) as error:
            raise DeliveryError(f"{self.name} answered {what} in a form that is not known here: {error!r}") from error

    def _json(self, response: "Response") -> Any:
        if not response.content:
            return None
        try:
            return response.json()
        except (ValueError, RecursionError) as error:
            raise DeliveryError(f"{self.name} answered no JSON to {response.request.method}") from error

    def _refusal(self, method: str, path: str, response: "Response") -> str:
        said = self._line(response.text)
        match response.status_code:
            case 401:
                return "it takes no such token (401): put a valid one into the secret that settings name"
            case 403 | 429 if "rate limit" in said.lower() or "x-ratelimit-reset" in response.headers:
                return f"its rate limit is used up ({response.status_code}){_until(response)}: run this again then"
            case 403:
                return f"the token may not {method} {path} (403): it needs {self._needs}"
            case 404:
                return f"there is no {path} (404), or the token may not see it: it needs {self._needs}"
            case 301 | 302 | 307 | 308:
                return f"{path} has moved ({response.status_code}): put the repository's new name into settings"
        return f"{method} {path} was answered by {response.status_code}: {said}"

    def _line(self, text: str) -> str:
        """Return someone else's text as one line that only prints."""
        words = " ".join(self._token.hidden_in(text)[:2000].split())
        return "".join(letter if letter.isprintable() else " " for letter in words)[:SAID]


def _until(response: "Response") -> str:
    reset = _reset(response)
    return "" if reset is None else f" until {time.strftime('%H:%M UTC', time.gmtime(reset))}"


def _reset(response: Any) -> int | None:
    """Return when the service's limit of rate begins anew, in seconds since 1970, if it says so."""
    said = response.headers.get("x-ratelimit-reset", "")
    return int(said) if re.fullmatch("[0-9]{1,10}", said) else None

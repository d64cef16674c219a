"""Who may not speak to the emulated AWS: web pages, whose browsers reach loopback as well as any program here does.

Its APIs start builds, which run commands as whoever rehearses. The deployed APIs alone are there for pages.
"""

import re
from typing import Final

from werkzeug.wrappers import Request

PUBLIC: Final = "/execute-api/"
"""Where the deployed APIs are, whose own gateway says which sites may call them."""

OURS: Final = re.compile(
    r"(127\.0\.0\.1|localhost|\[::1\]|.+\.localhost|.+\.amazonaws\.com(\.cn)?)(:\d+)?", re.IGNORECASE
)
"""What programs on this machine call us; another name is one that a stranger's DNS server has given to loopback."""

FROM_ELSEWHERE: Final = frozenset({"cross-site", "same-site"})


def turned_away(request: Request) -> str | None:
    """Return why a request is not answered, in one line, or ``None``.

    https://fetch.spec.whatwg.org/#origin-header, https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header
    """
    if request.path.startswith(PUBLIC):
        return None
    host = request.headers.get("Host", "")
    if host and not OURS.fullmatch(host):
        return f"this machine is not {host[:80]!r}: call it 127.0.0.1"
    if "Origin" in request.headers or request.headers.get("Sec-Fetch-Site") in FROM_ELSEWHERE:
        return "the emulated AWS answers programs, and no web pages"
    return None

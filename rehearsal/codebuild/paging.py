"""Long answers, a page at a time."""

from typing import Any

from rehearsal.protocol import ServiceError

LARGEST_PAGE = 100


def page(key: str, items: list[Any], query: dict[str, Any]) -> dict[str, Any]:
    """Return the page of ``items`` that ``query`` asks for (``nextToken``, ``maxResults``), under ``key``."""
    token = query.get("nextToken", "0")
    if not token.isdigit():
        raise ServiceError("InvalidInputException", "nextToken is none that was given out")
    start, size = int(token), min(query.get("maxResults", LARGEST_PAGE), LARGEST_PAGE)
    answer: dict[str, Any] = {key: items[start : start + size]}
    return answer | ({"nextToken": str(start + size)} if start + size < len(items) else {})

"""Where the next page of a conversation begins, as text that only the conversation itself can read."""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatbot.store import Conversation

NUMBER_BYTES = 4
MARK_BYTES = 8


class CursorError(ValueError):
    """The text is no cursor of this conversation."""


def cursor_after(number: int, conversation: Conversation) -> str:
    """Return the cursor of the page that follows turn `number`."""
    return base64.urlsafe_b64encode(_marked(number, conversation)).decode().rstrip("=")


def number_before(cursor: str, conversation: Conversation) -> int:
    """Return the number of the turn that a cursor's page follows; raises CursorError."""
    try:
        content = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise CursorError from None
    number = int.from_bytes(content[:NUMBER_BYTES])
    if not hmac.compare_digest(content, _marked(number, conversation)):
        raise CursorError
    return number


def _marked(number: int, conversation: Conversation) -> bytes:
    content = number.to_bytes(NUMBER_BYTES)
    return content + hmac.digest(conversation.token_hash.encode(), content, "sha256")[:MARK_BYTES]

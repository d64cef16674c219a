"""Who may use a conversation: whoever holds the token that came with it."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from chatbot.errors import Problem, ProblemError

if TYPE_CHECKING:
    from chatbot.store import Recent

TOKEN_BYTES = 32
NOBODYS_HASH = "0" * 64


@dataclass(frozen=True)
class Access:
    """What a request shows to be let in: a conversation's id and, it is hoped, its token."""

    conversation_id: str
    token: str | None = field(repr=False)


def new_token() -> str:
    """Return a token of 256 random bits: https://docs.python.org/3/library/secrets.html#secrets.token_urlsafe."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_hash(token: str) -> str:
    """Return what is kept of a token; one with this many random bits needs no salt and no slow hash."""
    return sha256(token.encode(errors="replace")).hexdigest()


def admitted(access: Access, found: Recent | None, *, even_leaving: bool = False) -> Recent:
    """Return what was found if the token is the conversation's own, in the same time whatever is wrong.

    Raises ProblemError, always the same one: whoever has no token learns not even that there is a conversation.
    """
    kept = found.conversation.token_hash if found else NOBODYS_HASH
    is_own = hmac.compare_digest(token_hash(access.token or ""), kept)
    if found is None or not is_own or (found.conversation.is_leaving and not even_leaving):
        raise ProblemError(Problem.CONVERSATION_NOT_FOUND)
    return found

"""A store of conversations in memory, for trying the bot on one machine; it is not shipped."""

from __future__ import annotations

import threading
from collections import defaultdict
from copy import replace
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chatbot.store import (
    CapReachedError,
    ConflictError,
    Conversation,
    Draft,
    Holder,
    KeptTurn,
    Key,
    KeyTakenError,
    Recent,
    Reservation,
)

if TYPE_CHECKING:
    from datetime import date, datetime

    from chatbot.contract import Feedback, Turn


@dataclass
class _Held:
    """A request that still runs under a key."""

    body_hash: str
    owner: str
    until: datetime


@dataclass
class _Kept:
    """A conversation with all that belongs to it."""

    conversation: Conversation
    turns: list[KeptTurn] = field(default_factory=list)
    keys: dict[str, Holder | _Held] = field(default_factory=dict)


class MemoryStore:
    """Keeps conversations until the process ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}
        self._tokens: dict[date, int] = defaultdict(int)

    def create(self, conversation: Conversation) -> None:
        with self._lock:
            self._kept[conversation.id] = _Kept(conversation)

    def recent(self, conversation_id: str, *, limit: int, now: datetime) -> Recent | None:
        with self._lock:
            kept = self._kept.get(conversation_id)
            if kept is None or kept.conversation.expires_at <= now:
                return None
            return Recent(kept.conversation, tuple(kept.turns[-limit:] if limit else ()))

    def one(self, conversation_id: str, *, number: int, now: datetime) -> Recent | None:
        found = self.recent(conversation_id, limit=0, now=now)
        if found is None:
            return None
        with self._lock:
            return Recent(found.conversation, tuple(self._kept[conversation_id].turns[number - 1 : number]))

    def page(self, conversation_id: str, *, after: int, limit: int) -> tuple[Turn, ...]:
        with self._lock:
            return tuple(kept.turn for kept in self._kept[conversation_id].turns[after : after + limit])

    def append(self, draft: Draft) -> None:
        with self._lock:
            kept, owner = self._there(draft.conversation), draft.reservation.owner if draft.reservation else None
            if draft.key:
                _take(kept, draft.key, draft.now, owner=owner)
            pace = kept.conversation.caught_up_at
            if draft.caught_up_at is not None:
                _check_pace(kept, draft.conversation)
                pace = draft.caught_up_at
            if kept.conversation.turns != draft.conversation.turns:
                raise ConflictError
            kept.conversation = replace(kept.conversation, turns=draft.turn.number, caught_up_at=pace)
            kept.turns.append(KeptTurn(draft.turn, draft.key))
            if draft.key:
                kept.keys[draft.key.hash] = Holder(draft.key.body_hash, draft.turn.number)
            if draft.reservation:
                self._tokens[draft.reservation.day] += draft.spent - draft.reservation.tokens

    def reserve(self, conversation: Conversation, reservation: Reservation, *, caught_up_at: int) -> None:
        with self._lock:
            kept, key = self._there(conversation), reservation.key
            if key:
                _take(kept, key, reservation.now)
            _check_pace(kept, conversation)
            if self._tokens[reservation.day] > reservation.most_before:
                raise CapReachedError
            self._tokens[reservation.day] += reservation.tokens
            kept.conversation = replace(kept.conversation, caught_up_at=caught_up_at)
            if key:
                kept.keys[key.hash] = _Held(key.body_hash, reservation.owner, reservation.until)

    def release(self, conversation_id: str, reservation: Reservation, *, spent: int) -> None:
        with self._lock:
            self._tokens[reservation.day] += spent - reservation.tokens
            keys, key = self._kept[conversation_id].keys if conversation_id in self._kept else {}, reservation.key
            if key and isinstance(held := keys.get(key.hash), _Held) and held.owner == reservation.owner:
                del keys[key.hash]

    def holder(self, conversation_id: str, key: Key, *, now: datetime) -> Holder | None:
        with self._lock:
            kept = self._kept.get(conversation_id)
            return _holder(kept.keys.get(key.hash)) if kept and kept.conversation.expires_at > now else None

    def rate(self, turn: Turn, feedback: Feedback) -> bool:
        with self._lock:
            kept = self._kept.get(turn.conversation_id)
            if kept is None:
                return False
            old = kept.turns[turn.number - 1]
            kept.turns[turn.number - 1] = replace(old, turn=replace(old.turn, feedback=feedback))
            return True

    def erase(self, conversation_id: str) -> None:
        with self._lock:
            self._kept.pop(conversation_id, None)

    def _there(self, conversation: Conversation) -> _Kept:
        if conversation.id not in self._kept:
            raise ConflictError
        return self._kept[conversation.id]


def _check_pace(kept: _Kept, known: Conversation) -> None:
    if kept.conversation.caught_up_at != known.caught_up_at:
        raise ConflictError


def _take(kept: _Kept, key: Key, now: datetime, *, owner: str | None = None) -> None:
    """Raise KeyTakenError unless the key is free, given up, or already this owner's."""
    match kept.keys.get(key.hash):
        case Holder() as holder:
            raise KeyTakenError(key, holder)
        case _Held() as held if held.owner != owner and (owner is not None or held.until >= now):
            raise KeyTakenError(key, Holder(held.body_hash, None))


def _holder(found: Holder | _Held | None) -> Holder | None:
    return Holder(found.body_hash, None) if isinstance(found, _Held) else found

"""A store of conversations in memory, for trying the bot on one machine; it is not shipped."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from chatbot.store import ConflictError, Conversation, Recent

if TYPE_CHECKING:
    from datetime import datetime

    from chatbot.contract import Turn


class MemoryStore:
    """Keeps conversations until the process ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._conversations: dict[str, Conversation] = {}
        self._turns: dict[str, list[Turn]] = {}

    def create(self, conversation: Conversation) -> None:
        with self._lock:
            self._conversations[conversation.id] = conversation
            self._turns[conversation.id] = []

    def recent(self, conversation_id: str, *, limit: int, now: datetime) -> Recent | None:
        with self._lock:
            conversation = self._conversations.get(conversation_id)
            if conversation is None or conversation.expires_at <= now:
                return None
            return Recent(conversation, tuple(self._turns[conversation_id][-limit:] if limit else ()))

    def append(self, conversation: Conversation, turn: Turn) -> None:
        with self._lock:
            kept = self._conversations.get(conversation.id)
            if kept is None or kept.turns != conversation.turns:
                raise ConflictError
            self._conversations[conversation.id] = replace(kept, turns=kept.turns + 1)
            self._turns[conversation.id].append(turn)

    def turns(self, conversation_id: str, *, now: datetime) -> tuple[Turn, ...] | None:
        found = self.recent(conversation_id, limit=0, now=now)
        with self._lock:
            return None if found is None else tuple(self._turns[conversation_id])

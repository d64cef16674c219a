"""What is kept, as items of DynamoDB.

One partition holds a conversation (`C#` and its id): its idempotency keys (`K#` and a hash), its turns (`T#00000001`)
and, with a sort key greater than theirs, the conversation itself (`~META`), so that one descending Query reads it and
the newest turns together. What a day's tokens came to stands in a partition of its own (`D#2026-11-25`).

A turn that should be looked at has the attribute `review`, and only such turns are in the index of that name.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, get_args

from chatbot.contract import Feedback, Rating, ResponderName, Source, Turn
from chatbot.store import Conversation, Draft, Holder, KeptTurn, Key, Reservation

if TYPE_CHECKING:
    from datetime import date

Item = dict[str, Any]

META = "~META"
FIRST_TURN = "T#"
REVIEW = "open"
"""The one value of the attribute `review`: the index is one partition, sorted by time."""
DAY_KEPT = timedelta(days=2)
RESPONDERS: dict[str, ResponderName] = {name: name for name in get_args(ResponderName)}
RATINGS: dict[str, Rating] = {name: name for name in get_args(Rating)}


def key_of(conversation_id: str, sort_key: str) -> Item:
    """Return the primary key of something in a conversation."""
    return {"pk": {"S": f"C#{conversation_id}"}, "sk": {"S": sort_key}}


def turn_key(conversation_id: str, number: int) -> Item:
    """Return the primary key of a turn."""
    return key_of(conversation_id, f"T#{number:08d}")


def idempotency_key(conversation_id: str, key: Key) -> Item:
    """Return the primary key of what an idempotency key stands for."""
    return key_of(conversation_id, f"K#{key.hash}")


def day_key(day: date) -> Item:
    """Return the primary key of the tokens of a day."""
    return {"pk": {"S": f"D#{day.isoformat()}"}, "sk": {"S": META}}


def conversation_item(conversation: Conversation) -> Item:
    return {
        **key_of(conversation.id, META),
        **_strings(token_hash=conversation.token_hash, created_at=conversation.created_at.isoformat()),
        "turns": number(conversation.turns),
        "caught_up_at": number(conversation.caught_up_at),
        "expires_at": epoch(conversation.expires_at),
    }


def conversation_of(conversation_id: str, item: Item) -> Conversation:
    return Conversation(
        id=conversation_id,
        token_hash=item["token_hash"]["S"],
        created_at=datetime.fromisoformat(item["created_at"]["S"]),
        expires_at=datetime.fromtimestamp(int(item["expires_at"]["N"]), tz=UTC),
        turns=int(item["turns"]["N"]),
        caught_up_at=int(item["caught_up_at"]["N"]),
        is_leaving="leaving" in item,
    )


def turn_item(draft: Draft) -> Item:
    turn, key = draft.turn, draft.key
    source = {} if turn.source is None else {"source": {"M": _strings(id=turn.source.id, title=turn.source.title)}}
    return {
        **turn_key(turn.conversation_id, turn.number),
        **_strings(text=turn.text, reply=turn.reply, responder=turn.responder, created_at=turn.created_at.isoformat()),
        "number": number(turn.number),
        "answered": {"BOOL": turn.answered},
        "fallback": {"BOOL": turn.fallback},
        "suggestions": {"L": [{"S": suggestion} for suggestion in turn.suggestions]},
        "expires_at": epoch(draft.conversation.expires_at),
        **source,
        **({} if key is None else _strings(key_hash=key.hash, body_hash=key.body_hash)),
        **({} if turn.answered else _strings(review=REVIEW)),
    }


def kept_turn_of(conversation_id: str, item: Item) -> KeptTurn:
    key = Key(item["key_hash"]["S"], item["body_hash"]["S"]) if "key_hash" in item else None
    return KeptTurn(turn_of(conversation_id, item), key)


def turn_of(conversation_id: str, item: Item) -> Turn:
    source = item.get("source", {}).get("M")
    return Turn(
        conversation_id=conversation_id,
        number=int(item["number"]["N"]),
        text=item["text"]["S"],
        reply=item["reply"]["S"],
        source=None if source is None else Source(id=source["id"]["S"], title=source["title"]["S"]),
        answered=item["answered"]["BOOL"],
        suggestions=tuple(suggestion["S"] for suggestion in item["suggestions"]["L"]),
        responder=RESPONDERS[item["responder"]["S"]],
        fallback=item["fallback"]["BOOL"],
        feedback=_feedback(item),
        created_at=datetime.fromisoformat(item["created_at"]["S"]),
    )


def key_item(draft: Draft, key: Key) -> Item:
    """Return what an idempotency key stands for once its turn is kept."""
    return {
        **idempotency_key(draft.conversation.id, key),
        **_strings(body_hash=key.body_hash),
        "number": number(draft.turn.number),
        "expires_at": epoch(draft.conversation.expires_at),
    }


def reserved_key_item(conversation: Conversation, reservation: Reservation, key: Key) -> Item:
    """Return what an idempotency key stands for while its request runs."""
    return {
        **idempotency_key(conversation.id, key),
        **_strings(body_hash=key.body_hash, owner=reservation.owner),
        "until": epoch(reservation.until),
        "expires_at": epoch(conversation.expires_at),
    }


def holder_of(item: Item) -> Holder:
    return Holder(item["body_hash"]["S"], int(item["number"]["N"]) if "number" in item else None)


def number(value: int) -> Item:
    return {"N": str(value)}


def epoch(moment: datetime) -> Item:
    return number(int(moment.timestamp()))


def is_expired(item: Item, now: datetime) -> bool:
    return int(item["expires_at"]["N"]) <= now.timestamp()


def _strings(**values: str) -> Item:
    return {name: {"S": value} for name, value in values.items()}


def _feedback(item: Item) -> Feedback | None:
    if "rating" not in item:
        return None
    return Feedback(RATINGS[item["rating"]["S"]], item["comment"]["S"] if "comment" in item else None)

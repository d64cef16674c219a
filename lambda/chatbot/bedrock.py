"""The responder that has a model on Amazon Bedrock answer, from what the knowledge says.

Nothing that comes back is trusted. An answer that is late, malformed, empty, cut off, or that gives the instructions
away is not shown: the knowledge answers in its place, and the reply says so. See `prompt`, `tripwire` and `markdown`.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from copy import replace
from typing import TYPE_CHECKING

import botocore.session

from chatbot.contract import Source, Turn
from chatbot.converse import CLIENT_CONFIG, Answer, Model, NoAnswerError
from chatbot.markdown import Addresses, safe_markdown
from chatbot.prompt import PASSAGES, Protocol, source_of
from chatbot.reply import Reply
from chatbot.responders import NEXT_SUGGESTIONS, KnowledgeResponder
from chatbot.tripwire import Tripwire, new_canary

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

    from chatbot.knowledge import Knowledge, Section
    from chatbot.settings import ModelSettings

LONGEST_ANSWER = 8_000
BLOCKED = "I can't answer that."

# An answer that ran into its limit (max_tokens) has no last line, so it names no source: better a whole one from the
# knowledge. One that a guardrail blocked is not answered in another way; its text is what the guardrail says instead.
ENDED = frozenset({"end_turn", "stop_sequence"})
GUARDRAIL = "guardrail_intervened"


class BedrockResponder:
    """Answers in a model's words from the knowledge's passages, or as the knowledge itself does."""

    needs_reservation = True

    def __init__(
        self, model: Model, *, knowledge: Knowledge, bot_name: str, settings: ModelSettings, logger: Logger
    ) -> None:
        self._model = model
        self._knowledge = knowledge
        self._fallback = KnowledgeResponder(knowledge)
        self._link_hosts = settings.link_hosts
        self._logger = logger
        self._protocol = Protocol(
            bot_name=bot_name,
            canary=new_canary(),
            most_tokens=settings.context_tokens,
            has_guardrail=settings.guardrail_id is not None,
        )
        self._tripwire = Tripwire(self._protocol.canary, self._protocol.instructions(salt=""))

    @classmethod
    def from_settings(
        cls, settings: ModelSettings, *, knowledge: Knowledge, bot_name: str, logger: Logger
    ) -> BedrockResponder:
        """Return the responder with a client of its own."""
        session = botocore.session.get_session()
        client = session.create_client("bedrock-runtime", region_name=settings.region, config=CLIENT_CONFIG)
        model = Model(client, settings)
        return cls(model, knowledge=knowledge, bot_name=bot_name, settings=settings, logger=logger)

    @property
    def starters(self) -> tuple[str, ...]:
        return self._knowledge.starters

    @property
    def most_tokens(self) -> int:
        return self._model.most_tokens

    def reply(self, question: str, history: Sequence[Turn]) -> Reply:
        sections = self._sections(question, history)
        if not sections:
            # A model that has nothing to answer from could only say so; the knowledge says it for nothing.
            return self._fallback.reply(question, history)
        try:
            return self._ask(question, sections, history)
        except NoAnswerError as failure:
            self._logger.warning("the model gave no answer", reason=failure.reason, tokens=failure.tokens)
            return replace(self._fallback.reply(question, history), fallback=True, tokens=failure.tokens)

    def _sections(self, question: str, history: Sequence[Turn]) -> list[Section]:
        """Return what the knowledge says near a question, and what was last talked about, which it may refer to."""
        last = history[-1].source if history else None
        found = self._knowledge.search(question, previous=last.id if last else None, limit=PASSAGES)
        near = [match.section for match in found if match.is_near]
        return near + [each for each in self._knowledge.sections if last and each.id == last.id and each not in near]

    def _ask(self, question: str, sections: Sequence[Section], history: Sequence[Turn]) -> Reply:
        prompt = self._protocol.prompt(question, sections, history, salt=secrets.token_hex(8))
        answer = self._model.ask(prompt)
        if objection := self._objection(answer):
            raise NoAnswerError(objection, tokens=answer.tokens)
        said, section = source_of(answer.text, prompt.sections)
        addresses = Addresses(hosts=self._link_hosts, texts=(each.text for each in prompt.sections))
        text = safe_markdown(said, addresses)
        if not text and answer.stop_reason != GUARDRAIL:
            raise NoAnswerError("empty", tokens=answer.tokens)
        others = [each.title for each in prompt.sections if each is not section]
        return Reply(
            text=text or BLOCKED,
            source=None if section is None else Source(id=section.id, title=section.title),
            answered=section is not None,
            suggestions=tuple(others)[:NEXT_SUGGESTIONS],
            responder="bedrock",
            tokens=answer.tokens,
        )

    def _objection(self, answer: Answer) -> str | None:
        """Say why an answer cannot be shown."""
        if answer.stop_reason not in ENDED | {GUARDRAIL}:
            return answer.stop_reason
        if len(answer.text) > LONGEST_ANSWER:
            return "too_long"
        return "leak" if self._tripwire.trips(answer.text) else None

"""The responder that answers from the knowledge."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

from chatbot.contract import Source, Turn
from chatbot.followups import context
from chatbot.reply import Reply

if TYPE_CHECKING:
    from chatbot.knowledge import Knowledge, Match, Section

SUGGESTIONS = 3
NEXT_SUGGESTIONS = 2
DOES_NOT_KNOW = "I don't know the answer to that."
PERHAPS = " Perhaps one of these comes close:"
ASK_ABOUT = " Here is what I can tell you about:"


class KnowledgeResponder:
    """Answers with the section of the knowledge that fits, or admits that there is none."""

    needs_reservation = False
    most_tokens = 0

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge

    @property
    def starters(self) -> tuple[str, ...]:
        return self._knowledge.starters

    def reply(self, question: str, history: Sequence[Turn]) -> Reply:
        last = history[-1].source if history else None
        found = self._knowledge.search(
            question,
            previous=last.id if last else None,
            earlier=context(question, history),
            limit=SUGGESTIONS + 1,
        )
        if found and found[0].answers:
            return self._answer(found[0], found[1:])
        return self._admission(found)

    def _answer(self, best: Match, others: Sequence[Match]) -> Reply:
        section = best.section
        return Reply(
            text=section.text,
            source=Source(id=section.id, title=section.title),
            answered=True,
            suggestions=self._next(section, others),
        )

    def _next(self, section: Section, others: Sequence[Match]) -> tuple[str, ...]:
        """What to ask next: what was nearly the answer, then the rest of the topic, then where everyone begins."""
        same_language = [match for match in others if match.section.language == section.language]
        beside = (other.title for other in islice(self._knowledge.beside(section), NEXT_SUGGESTIONS))
        titles = dict.fromkeys((*_near_titles(same_language), *beside, *self.starters))
        titles.pop(section.title, None)
        return tuple(titles)[:NEXT_SUGGESTIONS]

    def _admission(self, found: Sequence[Match]) -> Reply:
        near = _near_titles(found)[:SUGGESTIONS]
        if near:
            return Reply(text=DOES_NOT_KNOW + PERHAPS, answered=False, suggestions=near)
        return Reply(text=DOES_NOT_KNOW + ASK_ABOUT, answered=False, suggestions=self.starters)


def _near_titles(found: Sequence[Match]) -> tuple[str, ...]:
    return tuple(match.section.title for match in found if match.is_near)

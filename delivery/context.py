"""Where a plan comes from: the build that the environment before it has, and the pull request that showed it."""

from pathlib import Path
from typing import Any

from delivery.errors import DeliveryError
from delivery.plan import Context
from delivery.promotion import Planned, compare
from delivery.record import Record
from delivery.reviewed import sentence


def context_of(stack: str, before: Path | None, reviews: str) -> Context:
    """Return what to say of a plan of ``stack``, compared with that in ``before`` and looked up in the bucket.

    Either may be empty. Raises ``UsageError`` where ``before`` holds no plan. What cannot be looked up is said to be:
    a plan is no worse for it.
    """
    earlier = Planned.load(before) if before else None

    def context(plan: dict[str, Any], record: Record) -> str:
        paragraphs = [compare(Planned(plan, record), earlier)] if earlier else []
        if reviews:
            try:
                paragraphs.append(sentence(reviews, stack, plan))
            except DeliveryError as error:
                paragraphs.append(f"Whether a pull request showed this plan is not known: {error}.")
        return "\n\n".join(paragraphs)

    return context

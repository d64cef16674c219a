"""What each figure has to reach."""

from dataclasses import dataclass
from enum import Enum

from benchmarks.figure import Figure


class Measure(Enum):
    """What of a figure a goal is about; all are of medians."""

    OURS = "ours"
    RATIO = "ratio"
    DIFFERENCE = "difference"


@dataclass(frozen=True)
class Goal:
    """A bound for a figure: at most ``bound``, or at least."""

    figure: str
    bound: float
    measure: Measure = Measure.OURS
    at_least: bool = False

    def is_met(self, figure: Figure) -> bool | None:
        """Tell whether ``figure`` reaches the goal; None where it was not measured."""
        values = {
            Measure.OURS: figure.ours.median if figure.ours else None,
            Measure.RATIO: figure.ratio,
            Measure.DIFFERENCE: figure.difference,
        }
        value = values[self.measure]
        if value is None:
            return None
        return value >= self.bound if self.at_least else value <= self.bound


GOALS = (
    Goal("synth", 3.0),
    Goal("synth", 0.5, Measure.RATIO),
    Goal("function.init", 60.0, Measure.DIFFERENCE),
    Goal("function.handler", 5.0),
    Goal("storage.calls", 2),
    Goal("storage.written", 1.1, Measure.RATIO),
    Goal("storage.read", 1.1, Measure.RATIO),
    Goal("package.unchanged", 0.3),
    Goal("package.changed", 5.0),
    Goal("package.zip", 10.0),
    Goal("package.page", 14.0),
    Goal("delivery.plan", 1.5, Measure.DIFFERENCE),
    Goal("delivery.review", 1.0),
    Goal("accuracy.answered", 90.0, at_least=True),
    Goal("accuracy.declined", 80.0, at_least=True),
    Goal("answers.large.p50", 5.0),
    Goal("answers.scope", 92.0, at_least=True),
    Goal("answers.outside", 50.0, at_least=True),
    Goal("tables.transaction", 1.5, Measure.RATIO),
    Goal("tables.query", 1.5, Measure.RATIO),
    Goal("load.rate", 0.9, Measure.RATIO, at_least=True),
    Goal("load.errors", 0),
    Goal("load.lost", 0),
    Goal("load.doubled", 0),
    Goal("rehearsal.first", 180.0),
    Goal("rehearsal.second", 120.0),
)


def goals_of(figure: Figure) -> tuple[Goal, ...]:
    return tuple(goal for goal in GOALS if goal.figure == figure.id)


def misses(figure: Figure) -> tuple[Goal, ...]:
    """The goals that ``figure`` does not reach."""
    return tuple(goal for goal in goals_of(figure) if goal.is_met(figure) is False)

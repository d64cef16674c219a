"""A figure: what was measured of this project and of its peer, in the same run."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Measurement = Callable[[], float]


@dataclass(frozen=True)
class Sample:
    """The values of repeated measurements."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def least(self) -> float:
        return min(self.values)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One row of the table; ``ours`` is None where it could not be measured, and ``note`` says why."""

    id: str
    what: str
    unit: str
    ours: Sample | None
    peer: Sample | None = None
    peer_name: str = ""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours in terms of the peer's."""
        return self.ours.median / self.peer.median if self.ours and self.peer and self.peer.median else None

    @property
    def difference(self) -> float | None:
        """By how much ours exceeds the peer's."""
        return self.ours.median - self.peer.median if self.ours and self.peer else None


def single(value: float) -> Sample:
    """The sample of something that does not vary."""
    return Sample((value,))


def interleaved(measurements: Mapping[str, Measurement], repeat: int) -> dict[str, Sample]:
    """Measure all in turn, ``repeat`` times over, so that a busy moment of the machine meets every one of them."""
    values: dict[str, list[float]] = {name: [] for name in measurements}
    for _ in range(repeat):
        for name, measure in measurements.items():
            values[name].append(measure())
    return {name: Sample(tuple(found)) for name, found in values.items()}


def seconds(work: Callable[[], object]) -> Measurement:
    """Make a measurement of the wall time that ``work`` takes."""

    def measure() -> float:
        started = time.perf_counter()
        work()
        return time.perf_counter() - started

    return measure

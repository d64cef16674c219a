"""The rehearsed API under load: fifty connections that talk without a pause, and what was kept of it."""

import statistics
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass

from benchmarks.deployed import deployed
from benchmarks.figure import Figure, Sample, single
from benchmarks.talk import Person, Room, Tally, require, stored

CONNECTIONS, SECONDS = 50, 30.0
WARM_UP_SECONDS = 2.0
ALONE_SECONDS = 5.0
"""How long one connection talks alone, for comparison."""

SHARED = 10
"""So many of the connections talk in pairs, two in one conversation."""

READERS = 8


@dataclass(frozen=True)
class Kept:
    """What became of the messages that were acknowledged."""

    stored: int
    lost: int
    doubled: int


def measure(_repeat: int, url: str | None = None) -> list[Figure]:
    """Load the API at ``url``, or one that is deployed for it; once, since each run is thousands of requests."""
    with nullcontext(url) if url else deployed() as address:
        require(address)
        _talk(address, CONNECTIONS, WARM_UP_SECONDS)
        alone, alone_seconds = _talk(address, 1, ALONE_SECONDS)
        tally, seconds = _talk(address, CONNECTIONS, SECONDS)
        kept = _kept(address, tally)
    return [*_speed(tally, seconds, alone, alone_seconds), *_correctness(tally, kept)]


def _talk(url: str, connections: int, seconds: float) -> tuple[Tally, float]:
    """Return what came of all connections together, and how long it took until the last request was answered."""
    pairs = [Room() for _ in range(SHARED // 2)]
    rooms = [pairs[number // 2] if number < SHARED else Room() for number in range(connections)]
    started = time.monotonic()
    people = [Person(url, room, started + seconds) for room in rooms]
    with ThreadPoolExecutor(connections) as executor:
        tallies = list(executor.map(Person.talk, people))
    return sum(tallies, Tally()), time.monotonic() - started


def _kept(url: str, tally: Tally) -> Kept:
    """Read every conversation back."""
    with ThreadPoolExecutor(READERS) as executor:
        texts = Counter(
            text for found in executor.map(lambda each: list(stored(url, each)), tally.conversations) for text in found
        )
    return Kept(
        stored=texts.total(),
        lost=sum(text not in texts for text in tally.acknowledged),
        doubled=sum(count > 1 for count in texts.values()),
    )


def _speed(tally: Tally, seconds: float, alone: Tally, alone_seconds: float) -> list[Figure]:
    together, single_file = _milliseconds(tally), _milliseconds(alone)
    return [
        Figure(
            id="load.rate",
            what=f"requests, {CONNECTIONS} connections",
            unit="/s",
            ours=single(len(together) / seconds),
            peer=single(len(single_file) / alone_seconds),
            peer_name="one connection",
        ),
        *(
            Figure(
                id=f"load.p{percent}",
                what=f"latency, {percent} % of requests within",
                unit="ms",
                ours=_percentile(together, percent),
                peer=_percentile(single_file, percent),
                peer_name="one connection",
            )
            for percent in (50, 95, 99)
        ),
    ]


def _correctness(tally: Tally, kept: Kept) -> list[Figure]:
    counts = {
        "errors": ("errors", tally.errors.total(), _listed(tally.errors)),
        "turned_away": ("turned away, tried again", tally.turned_away.total(), _listed(tally.turned_away)),
        "acknowledged": ("turns acknowledged", len(tally.acknowledged), ""),
        "stored": ("turns stored", kept.stored, ""),
        "lost": ("turns lost", kept.lost, ""),
        "doubled": ("turns doubled", kept.doubled, ""),
    }
    return [
        Figure(id=f"load.{id}", what=what, unit="", ours=single(count), note=note)
        for id, (what, count, note) in counts.items()
    ]


def _milliseconds(tally: Tally) -> list[float]:
    return [seconds * 1000 for seconds in tally.seconds]


def _percentile(values: list[float], percent: int) -> Sample | None:
    return single(statistics.quantiles(values, n=100)[percent - 1]) if len(values) > 1 else None


def _listed(counter: Counter[str]) -> str:
    return ", ".join(f"{count} × {label}" for label, count in counter.most_common())

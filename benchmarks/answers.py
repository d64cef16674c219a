"""How long the search for an answer takes, and how good the answers are on a public set of questions."""

import json
import os
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import bot
from benchmarks.figure import Figure, Sample, single
from benchmarks.project import PYTHON, ROOT, BenchmarkError, know_the_function, run

if TYPE_CHECKING:
    from chatbot.knowledge import Knowledge

SECTIONS = 10_000
QUESTIONS = 300
VARIABLE = "PUBLIC_SET"
NOT_GIVEN = (
    f"say where one lies with {VARIABLE}=FILE: the data_full.json of CLINC150 (github.com/clinc/oos-eval), or any JSON "
    "like it, whose 'train', 'test' and 'oos_test' hold pairs of a question and its topic"
)
SYLLABLES = tuple(f"{one}{other}" for one in "bcdfghjklm" for other in "ao")
WORDS = 20_000
FRAMES = ("how do i {}", "what is the {}", "where can i find {}", "can you {} the {}", "why does my {} {}", "{} {}")


def measure(repeat: int) -> list[Figure]:
    """Search the shipped knowledge and 10,000 sections; then a public set, where one is given."""
    know_the_function()
    return [*_shipped(repeat), *_large(repeat), *_public()]


def _shipped(repeat: int) -> list[Figure]:
    from chatbot.knowledge import Knowledge
    from chatbot.learn import learn

    knowledge = Knowledge(learn(ROOT / "knowledge"))
    return _times("shipped", "the shipped knowledge", knowledge, bot.questions(), repeat)


def _large(repeat: int) -> list[Figure]:
    """Search sections of made-up words."""
    from chatbot.knowledge import Knowledge
    from chatbot.learn import learn

    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "large.md").write_text("\n".join(_sections(chance)))
        started = time.process_time()
        index = learn(Path(name))
        learned = time.process_time() - started
    questions = [_question(chance) for _ in range(QUESTIONS)]
    learning = Figure(
        id="answers.learning", what=f"learning {SECTIONS:,} sections, CPU", unit="s", ours=single(learned)
    )
    return [*_times("large", f"{SECTIONS:,} sections", Knowledge(index), questions, repeat), learning]


def _times(id: str, what: str, knowledge: "Knowledge", questions: Sequence[str], repeat: int) -> list[Figure]:
    """CPU of a search, question by question; each question's least time of several rounds counts."""
    rounds = [[_milliseconds(knowledge, question) for question in questions] for _ in range(repeat + 1)][1:]
    least = sorted(min(times) for times in zip(*rounds, strict=True))
    slowest = least[int(len(least) * 0.99)]
    return [
        Figure(id=f"answers.{id}.p50", what=f"CPU of a search, {what}, median", unit="ms", ours=Sample(tuple(least))),
        Figure(id=f"answers.{id}.p99", what=f"CPU of a search, {what}, p99", unit="ms", ours=single(slowest)),
    ]


def _milliseconds(knowledge: "Knowledge", question: str) -> float:
    started = time.thread_time()
    knowledge.search(question)
    return (time.thread_time() - started) * 1000


def _sections(chance: random.Random) -> Iterator[str]:
    yield "# Everything\n"
    for number in range(SECTIONS):
        yield f"## {_question(chance).capitalize()} {number}?\n"
        yield f"Also asked: {_question(chance)} | {_question(chance)}\n"
        yield f"{' '.join(_word(chance) for _ in range(60)).capitalize()}.\n"


def _question(chance: random.Random) -> str:
    frame = chance.choice(FRAMES)
    return frame.format(
        *(" ".join(_word(chance) for _ in range(chance.randint(1, 3))) for _ in range(frame.count("{")))
    )


def _word(chance: random.Random) -> str:
    """Return a made-up word, as common or rare as words are that carry meaning (the law of Zipf and Mandelbrot)."""
    rank = int(20 * ((WORDS + 20) / 20) ** chance.random()) - 20
    letters = SYLLABLES[rank % len(SYLLABLES)]
    while rank := rank // len(SYLLABLES):
        letters += SYLLABLES[rank % len(SYLLABLES)]
    return letters + "nd"


def _public() -> list[Figure]:
    """Ask a public set of questions, by the command that anyone can run on a set of their own."""
    given = os.environ.get(VARIABLE)
    if not given:
        return [Figure(id="answers.public", what="a public set of questions", unit="", ours=None, note=NOT_GIVEN)]
    with tempfile.TemporaryDirectory() as name:
        knowledge, questions = _converted(Path(given), Path(name))
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "lambda")}
        command: list[str | Path] = [PYTHON, "-m", "chatbot.examine.evaluate", "--json", knowledge, questions]
        report = json.loads(run(command, environment=environment))
    shares = [
        ("scope", "accuracy in scope", "accuracy_in_scope", f"of {report['in_scope']:,} questions"),
        ("outside", "recall out of scope", "recall_out_of_scope", f"of {report['out_of_scope']:,} questions"),
    ]
    figures = [
        Figure(
            id=f"answers.{id}", what=f"{what}, {Path(given).name}", unit="%", ours=single(100 * report[key]), note=note
        )
        for id, what, key, note in shares
        if report[key] is not None
    ]
    time = Figure(
        id="answers.public.p50", what="CPU of a reply there, median", unit="ms", ours=single(report["milliseconds_p50"])
    )
    return [*figures, time]


def _converted(file: Path, target: Path) -> tuple[Path, Path]:
    """Write a set as a folder of knowledge, a section for each topic, and as questions to evaluate."""
    try:
        data = json.loads(file.read_text())
        topics: dict[str, list[str]] = {}
        for question, topic in data["train"]:
            topics.setdefault(topic, []).append(" ".join(question.replace("|", " ").split()))
        asked = [*data["test"], *((question, None) for question, _ in data["oos_test"])]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BenchmarkError(f"{VARIABLE}={file} is no set of questions ({error!r}): {NOT_GIVEN}") from error
    knowledge, questions = target / "knowledge", target / "questions.jsonl"
    knowledge.mkdir()
    sections = [f"## {topic}\n\nAlso asked: {' | '.join(known)}\n\nIt is {topic}.\n" for topic, known in topics.items()]
    (knowledge / "topics.md").write_text("\n".join(["# Topics\n", *sections]))
    lines = (json.dumps({"question": question, "source": topic}) for question, topic in asked)
    questions.write_text("\n".join(lines))
    return knowledge, questions

"""How often the bot answers from the right section, and declines what it cannot know."""

from benchmarks.figure import Figure, single
from benchmarks.project import ROOT, know_the_function


def measure(_repeat: int) -> list[Figure]:
    """Hold the conversation tests; the answers do not vary, so once is enough."""
    know_the_function()
    from chatbot.examine.converse import run
    from chatbot.examine.dialogues import read_dialogues
    from chatbot.knowledge import Knowledge
    from chatbot.learn import learn

    knowledge = Knowledge(learn(ROOT / "knowledge"))
    results = list(run(read_dialogues(ROOT / "tests" / "conversations"), knowledge))
    inside = [result.fault is None for result in results if result.step.sources]
    outside = [result.fault is None for result in results if not result.step.sources]
    return [
        _share("accuracy.answered", "conversation tests, answered right", inside),
        _share("accuracy.declined", "conversation tests, declined", outside),
    ]


def _share(id: str, what: str, right: list[bool]) -> Figure:
    part, whole = sum(right), len(right)
    return Figure(id=id, what=what, unit="%", ours=single(100 * part / whole), note=f"{part} of {whole} questions")

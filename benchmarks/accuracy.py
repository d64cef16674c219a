"""How often the bot answers from the right section, and declines what it cannot know."""

from benchmarks import bot
from benchmarks.figure import Figure, single
from benchmarks.project import ROOT


def measure(_repeat: int) -> list[Figure]:
    """Ask what the accuracy tests ask; the answers do not vary, so once is enough."""
    tests = bot.accuracy_tests()
    from chatbot.knowledge import Knowledge
    from chatbot.learn import learn

    knowledge = Knowledge(learn(ROOT / "knowledge"))
    right = sum(tests.answer(knowledge, question) == section for section, question in tests.ANSWERABLE)
    declined = sum(tests.answer(knowledge, question) is None for question in tests.OUT_OF_SCOPE)
    return [
        _share("accuracy.answered", "answered from the right section", right, len(tests.ANSWERABLE)),
        _share("accuracy.declined", "declined, out of scope", declined, len(tests.OUT_OF_SCOPE)),
    ]


def _share(id: str, what: str, part: int, whole: int) -> Figure:
    return Figure(id=id, what=what, unit="%", ours=single(100 * part / whole), note=f"{part} of {whole} questions")

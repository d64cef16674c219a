"""What the function costs: its start beside a bare client's, and the CPU time of a turn."""

import itertools
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from benchmarks import bot
from benchmarks.figure import Figure, Measurement, interleaved
from benchmarks.project import ROOT, know_the_function, make_package, run

# The order of sys.path and the flags are Lambda's: the package alone, none of this machine's.
# https://docs.aws.amazon.com/lambda/latest/dg/python-package.html#python-package-searchpath
FLAGS = ("-B", "-S", "-P")
TIMED = """\
import sys, time
sys.path.insert(0, sys.argv[1])
started = time.perf_counter()
{code}
print(time.perf_counter() - started)
"""
HANDLER = "import chatbot.handler"
BARE_CLIENT = "import boto3; boto3.client('dynamodb')"
LONG_CONVERSATION = 50
VARIABLES = {
    "TABLE_NAME": "conversations",
    "ENVIRONMENT": "dev",
    "BOT_NAME": "Parley",
    "GREETING": "Hello!",
    "ACCENT": "#2f5fdd",
    "ACCENT_DARK": "#7a98e9",
    "RETENTION_DAYS": "30",
    "RESPONDER": "knowledge",
    "BACKUP_DAYS": "35",
    "MESSAGES_PER_MINUTE": "60",
    "POWERTOOLS_METRICS_NAMESPACE": "parley",
    "POWERTOOLS_SERVICE_NAME": "chatbot",
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "benchmark",
    "AWS_SECRET_ACCESS_KEY": "benchmark",
    "AWS_LAMBDA_FUNCTION_NAME": "benchmark",
}


def measure(repeat: int) -> list[Figure]:
    """Start the deployed package, then answer every question of the accuracy tests in this process."""
    make_package()
    know_the_function()
    return [_init(repeat), *_turns(repeat)]


def _init(repeat: int) -> Figure:
    with tempfile.TemporaryDirectory() as name:
        with zipfile.ZipFile(ROOT / "build" / "lambda.zip") as archive:
            archive.extractall(name)
        starts: dict[str, Measurement] = {
            "ours": partial(_start, Path(name), HANDLER),
            "peer": partial(_start, Path(name), BARE_CLIENT),
        }
        interleaved(starts, 1)
        found = interleaved(starts, repeat * 3)
    return Figure(
        id="function.init",
        what="start of the function's code",
        unit="ms",
        ours=found["ours"],
        peer=found["peer"],
        peer_name="boto3.client alone",
    )


def _start(package: Path, code: str) -> float:
    python = getattr(sys, "_base_executable", None) or sys.executable
    command = [python, *FLAGS, "-c", TIMED.format(code=code), package]
    return float(run(command, folder=package, environment=VARIABLES).splitlines()[-1]) * 1000


def _turns(repeat: int) -> list[Figure]:
    """CPU time of the responder alone, and of the whole handler over a store in memory."""
    from chatbot.knowledge import Knowledge
    from chatbot.learn import learn
    from chatbot.responders import KnowledgeResponder
    from chatbot.serve.bot import LOOKS, Bot
    from chatbot.settings import looks

    folder = ROOT / "knowledge"
    responder = KnowledgeResponder(Knowledge(learn(folder)))
    asked, say = bot.questions(), _conversation(Bot(folder, looks(LOOKS)).answer)
    works: dict[str, Measurement] = {
        "reply": partial(_cpu_each, lambda question: responder.reply(question, ()), asked),
        "handler": partial(_cpu_each, say, asked),
    }
    interleaved(works, 1)
    found = interleaved(works, repeat * 3)
    return [
        Figure(id="function.reply", what="CPU of a reply, retrieval alone", unit="ms", ours=found["reply"]),
        Figure(id="function.handler", what="CPU of a turn, store in memory", unit="ms", ours=found["handler"]),
    ]


def _conversation(answer: bot.Answer) -> Callable[[str], None]:
    """Return what says something to the bot, in a new conversation whenever the last one is long."""
    chats: list[bot.Chat] = []
    asked = itertools.count()

    def say(question: str) -> None:
        if next(asked) % LONG_CONVERSATION == 0:
            chats.append(bot.start(answer))
        bot.say(answer, chats[-1], question)

    return say


def _cpu_each(ask: Callable[[str], object], asked: Sequence[str]) -> float:
    """Return the mean CPU time, in milliseconds, that a question takes this thread."""
    started = time.thread_time()
    for question in asked:
        ask(question)
    return (time.thread_time() - started) / len(asked) * 1000

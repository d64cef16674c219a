"""The very code of the function answers; conversations live in memory, and changed knowledge is learned at once."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from chatbot.api import Api
from chatbot.conversation import Conversations
from chatbot.cors import Cors
from chatbot.knowledge import Knowledge
from chatbot.learn import KnowledgeError, learn
from chatbot.looks import Looks
from chatbot.loopback import STAGE, Server
from chatbot.memory import MemoryStore
from chatbot.operations import Operations
from chatbot.responders import KnowledgeResponder
from chatbot.settings import SettingsError, looks
from chatbot.telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# How a bot looks that nobody has told anything; `python -m stacks looks` prints what the settings say.
LOOKS = {
    "BOT_NAME": "Bot",
    "GREETING": "Hello! What would you like to know?",
    "ACCENT": "#4a5568",
    "ACCENT_DARK": "#a0aec0",
}
RETENTION = timedelta(days=1)
MESSAGES_PER_MINUTE = 6_000


class Bot:
    """The bot with its newest knowledge."""

    def __init__(self, folder: Path, looks: Looks) -> None:
        self.folder = folder
        self.looks = looks
        self._store = MemoryStore()
        self._logger = Logger(service="chatbot", level="WARNING", stream=sys.stderr)
        self.learn()

    def learn(self) -> None:
        """Read the knowledge anew; raises KnowledgeError and stays as it was when that cannot be done."""
        conversations = Conversations(
            store=self._store,
            responder=KnowledgeResponder(Knowledge(learn(self.folder))),
            greeting=self.looks.greeting,
            retention=RETENTION,
            messages_per_minute=MESSAGES_PER_MINUTE,
        )
        operations = Operations(
            conversations=conversations, looks=self.looks, environment=STAGE, release="local", backup_days=0
        )
        self._api = Api(operations, cors=Cors(()), telemetry=Telemetry(self._logger))

    def answer(self, event: dict[str, Any]) -> dict[str, Any]:
        """Answer a proxy event."""
        return self._api(event, None)


def _watch(bot: Bot, *, watching: threading.Event, stop: threading.Event) -> None:
    """Learn again whenever a knowledge file changes; a file that cannot be learned leaves the bot as it was."""
    from watchfiles import watch

    for changes in watch(
        bot.folder, stop_event=stop, raise_interrupt=False, debounce=200, rust_timeout=100, yield_on_timeout=True
    ):
        watching.set()
        if any(path.endswith(".md") for _, path in changes):
            _learn_again(bot)


def _learn_again(bot: Bot) -> None:
    try:
        bot.learn()
    except KnowledgeError as error:
        print(f"{error} (still answering from what was learned before)", file=sys.stderr, flush=True)
    else:
        print("learned the changed knowledge", flush=True)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chatbot.serve", description="Run the bot alone on this machine.")
    parser.add_argument("--port", type=_port, default=8000, help="port to listen on; 0 takes a free one (default 8000)")
    parser.add_argument(
        "--knowledge", type=Path, default=Path("knowledge"), metavar="DIR", help="the knowledge (default knowledge)"
    )
    parser.add_argument("--name", help="the bot's name (default BOT_NAME of the environment)")
    return parser.parse_args(arguments)


def _looks(environment: Mapping[str, str], *, name: str | None) -> Looks:
    return looks(LOOKS | dict(environment) | ({"BOT_NAME": name} if name else {}))


def _port(text: str) -> int:
    port = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else -1
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"a port is from 0 to 65535, got {text!r}")
    return port


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    try:
        bot = Bot(options.knowledge, _looks(os.environ, name=options.name))
        server = Server(options.port, bot.answer)
    except (KnowledgeError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"port {options.port} cannot be used ({error.strerror}); choose another with --port", file=sys.stderr)
        return 2
    _serve(bot, server)
    return 0


def _serve(bot: Bot, server: Server) -> None:
    """Serve until interrupted or terminated."""
    watching, stop = threading.Event(), threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: stop.set())
    watcher = threading.Thread(target=_watch, args=(bot,), kwargs={"watching": watching, "stop": stop}, daemon=True)
    with server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        watcher.start()
        watching.wait(timeout=2)
        print(f"{bot.looks.bot_name} answers at {server.url}  (Ctrl-C ends it)", flush=True)
        stop.wait()
        server.shutdown()
    watcher.join(timeout=2)

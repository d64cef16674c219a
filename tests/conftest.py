"""What holds for every test."""

import atexit
import os
import signal

import pytest

# A runner that was started in the background ignores Ctrl-C, and whatever it starts would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# One of several processes has told all when it gets here. To take apart what a thousand tests have left, object by
# object, would take it two seconds, for which all wait.
if "PYTEST_XDIST_WORKER" in os.environ:
    atexit.register(os._exit, 0)

LONGEST = (
    "test_parley.py",
    "test_stacks.py",
    "test_chatbot_store.py",
    "test_chatbot_handler.py",
    "test_chatbot_fuzz.py",
    "test_chatbot_injections.py",
    "test_chatbot_bedrock.py",
    "test_chatbot_calls.py",
    "test_pull_requests.py",
    "test_drift.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that the other processes are not done before it starts."""
    rank = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(rank)))

"""What holds for every test."""

import signal

import pytest

# A runner that was started in the background ignores Ctrl-C, and whatever it starts would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

LONGEST = ("test_parley.py",)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that the other processes are not done before it starts."""
    items.sort(key=lambda item: item.path.name not in LONGEST)

"""Signs of life while something takes long."""

import sys
import threading

import pytest

from delivery import progress


def waited(monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> None:
    """Work until it was said that something takes long."""
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    with progress.working("planning"):
        for thread in threading.enumerate():
            if isinstance(thread, threading.Timer):
                thread.join()


def test_a_log_has_one_line_for_what_takes_long(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """When it begins to; its end is seen from what comes next."""
    waited(monkeypatch, terminal=False)
    assert capsys.readouterr().err == "planning …\n"


def test_a_terminal_is_told_how_long_it_took(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody waits there."""
    waited(monkeypatch, terminal=True)
    assert capsys.readouterr().err == "planning …\nplanning: 0 s\n"

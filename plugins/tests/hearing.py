"""Keeps the tests from depending on how they were started."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="session")
def signals_are_heard() -> Iterator[None]:
    """Let the programs under test hear what these tests ignore, under nohup or in a background."""
    before = {each: signal.getsignal(each) for each in (signal.SIGHUP, signal.SIGINT)}
    ignored = [each for each, handler in before.items() if handler is signal.SIG_IGN]
    for each in ignored:  # what is ignored stays so in programs; what is caught does not
        signal.signal(each, lambda *_: None)
    yield
    for each in ignored:
        signal.signal(each, signal.SIG_IGN)

"""What a worker has set up, and takes down as late as it can."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from _pytest.runner import SetupState


class AskingSetupState(SetupState):
    """pytest's stack of what is set up, which asks who comes next before it takes any down.

    Which check follows in this worker is only known then, and decides what of the module's and
    the session's fixtures is still needed.
    """

    def __init__(self, follower: Callable[[], pytest.Item | None]) -> None:
        super().__init__()
        self._follower = follower

    def teardown_exact(self, nextitem: pytest.Item | None) -> None:
        """Take down what the check that really follows does not need."""
        __tracebackhide__ = True  # a fixture's error shows its own place, as without slots
        if nextitem in self.stack:  # the same check is to be run again
            super().teardown_exact(nextitem)
        else:
            super().teardown_exact(self._follower())

    def clear(self) -> None:
        """Take everything down."""
        __tracebackhide__ = True
        super().teardown_exact(None)


@contextmanager
def suspended_timeout() -> Iterator[None]:
    """Let no time pass for the check under way: what it waits for is our parent's business.

    pytest-timeout counts by this timer, and it counts the teardown too.
    """
    left, interval = signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        yield
    finally:
        if left:
            signal.setitimer(signal.ITIMER_REAL, left, interval)

"""How a process of ours is started: undisturbed by what tells us to end, and to end with us."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from yakei.execution.leaving import ENDING_SIGNALS, HELD
from yakei_shared.prctl import die_with_parent


@contextmanager
def undisturbed() -> Iterator[Iterable[int]]:
    """Hold back what tells us to end: in the middle of the start, we would not know whom to end.

    To block the signals is not enough where other threads run, as the heartbeat's: the kernel gives
    them to one of those, and Python calls the handler in the main thread nevertheless. So
    `terminating` holds its exception back, too, until all here is as it was.

    Yields:
        The signals that were blocked before.
    """
    told = HELD.signals = []
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)
    try:
        yield before
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)  # what has come meanwhile is held
        HELD.signals = None
        for each in told:
            signal.raise_signal(each)


def dying_with(parent: int, mask: Iterable[int]) -> Callable[[], None]:
    """Return what a child does first.

    Args:
        parent: with whom it ends.
        mask: the signals that it shall block.
    """

    def begin() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        die_with_parent(parent)

    return begin

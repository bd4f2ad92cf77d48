"""Sees a worker out: ends it, if it has not ended, and whatever it started, step by step."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass

from pytest_yakei.engine import clock, linux

DUMP_SIGNAL = signal.SIGRTMAX - 1
"""Makes a worker write its stacks; no program that checks start is likely to use it."""

STEP = 0.01
"""Seconds between two steps."""
_DUMP_PATIENCE = 0.3
"""Seconds that a worker gets to write its stacks; it takes a millisecond."""
_KILL_PATIENCE = 0.6
"""Seconds for the worker, and for all that it has started, to be gone after they were killed."""
_SETTLE = 0.5
"""Seconds for what ends with its parent by itself, as multiprocessing's resource tracker does."""


@dataclass(frozen=True)
class Ended:
    """How a worker has ended.

    Attributes:
        status: its wait status; None when even KILL did not end it.
        left: pid and command of what it has left running.
        immortal: the processes that KILL did not end, and where they hang.
        place: where in the kernel it was when it was to be ended.
        by_keeper: its keeper itself died, with this wait status.
    """

    status: int | None
    left: tuple[tuple[int, str], ...] = ()
    immortal: tuple[tuple[int, str], ...] = ()
    place: str = ""
    by_keeper: bool = False


def departure(
    keeper: int, worker: int, words: int, reap: Callable[[int], object], *, ordered: bool
) -> Generator[None, None, Ended]:
    """Yield between the steps, so that nobody waits for one that does not want to end.

    Args:
        keeper: the worker's parent, and of what the worker left; it is ended last.
        worker: has ended, unless `ordered`.
        words: the descriptor of the file to which the worker writes its stacks.
        reap: waits for the end of the keeper.
        ordered: whether the worker is to be ended.
    """
    place = linux.where_in_kernel(worker) if ordered else ""
    if ordered:
        yield from _dump_stacks(worker, words)
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
    until = clock.monotonic() + _KILL_PATIENCE
    yield from _until(lambda: not linux.is_living(worker), _KILL_PATIENCE)
    left = [] if ordered else (yield from _left_behind(keeper))
    patience = until - clock.monotonic() if ordered else _KILL_PATIENCE
    stuck = yield from linux.ending_all(lambda: linux.descendants(keeper), patience)
    # The others are dying, as many or big ones may for a while: the parent inherits and reaps them.
    immortal = [(pid, linux.where_in_kernel(pid)) for pid in stuck if linux.is_unkillable(pid)]
    status = _end_keeper(keeper, worker, reap)
    return Ended(status, tuple(left), tuple(immortal), place)


def _until(is_over: Callable[[], bool], patience: float) -> Iterator[None]:
    until = clock.monotonic() + patience
    while not is_over() and clock.monotonic() < until:
        yield


def _dump_stacks(worker: int, words: int) -> Iterator[None]:
    """Have the worker write its stacks, and wait until they are written."""
    before = last = os.fstat(words).st_size

    def are_written() -> bool:
        nonlocal last
        size, last = last, os.fstat(words).st_size
        return last == size > before

    with suppress(ProcessLookupError):
        os.kill(worker, DUMP_SIGNAL)
        # Only now: one that had stopped would go on, take its due timeout, and leave the place.
        os.kill(worker, signal.SIGCONT)
    yield from _until(are_written, _DUMP_PATIENCE)


def _left_behind(keeper: int) -> Generator[None, None, list[tuple[int, str]]]:
    """Return what runs on though its worker has ended: named before it is ended."""
    found: list[int] = []

    def has_settled() -> bool:
        found[:] = filter(linux.is_living, linux.descendants(keeper))
        return not found

    yield from _until(has_settled, _SETTLE)
    return [(pid, linux.command_line(pid)) for pid in found]


def _end_keeper(keeper: int, worker: int, reap: Callable[[int], object]) -> int | None:
    """Return how the worker ended: without its keeper, it is our own child."""
    dead = linux.children(keeper)
    with suppress(ProcessLookupError):
        os.kill(keeper, signal.SIGKILL)
    reap(keeper)
    status = None
    for pid in dead | {worker}:
        with suppress(ChildProcessError):
            reaped, its = os.waitpid(pid, os.WNOHANG)
            status = its if reaped == worker else status
    return status

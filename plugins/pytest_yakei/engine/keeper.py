"""The keeper of one worker: it outlives the worker, tells how it ended, and ends its offspring.

A check that kills its parent kills only its keeper. A parent that dies is noticed by every keeper.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from pytest_yakei.engine import linux
from pytest_yakei.engine.wire import Wire

DUMP_SIGNAL = signal.SIGRTMAX - 1
"""Makes a worker write its stacks; no program that checks start is likely to use it."""

_PARENT_LOOK = 1.0
"""Seconds between two looks whether the parent lives, where the kernel cannot tell us."""
_DUMP_PATIENCE = 0.3
"""Seconds that a worker gets to write its stacks; it takes a millisecond."""
_KILL_PATIENCE = 0.6
"""Seconds for the worker, and for all that it has started, to be gone after they were killed."""
_SETTLE = 0.5
"""Seconds for what ends with its parent by itself, as multiprocessing's resource tracker does."""
_PAUSE = 0.01


def keep(orders: Wire, words: int, work: Callable[[], None]) -> NoReturn:
    """Start a worker, wait for its end or for the order to end it, and tell the parent.

    The parent reads `("ended", wait status or None, [(pid, command)
    of what the worker left behind], [(pid, where it hangs) of what even KILL did not end], where
    in the kernel the worker was when it was ended)`.

    Args:
        orders: our end of the wire to the parent; any message is the order to end the worker.
        words: the descriptor of the file to which the worker writes its stacks.
        work: what the worker does; it never returns from its process.
    """
    parent = os.getppid()
    os.setsid()  # Ctrl-C is the parent's business, and a check cannot ask the terminal
    linux.adopt_orphans()
    us = os.getpid()
    worker = os.fork()
    if not worker:
        os.setsid()
        linux.die_with_parent(us)
        linux.adopt_orphans()
        orders.close()
        work()
        os._exit(0)
    ordered = _await_end(worker, orders, parent)
    place = linux.where_in_kernel(worker) if ordered else ""
    if ordered:
        _dump_stacks(worker, words)
    until = time.monotonic() + _KILL_PATIENCE
    status = _end_worker(worker, until)
    left = [] if ordered else _left_behind()
    patience = until - time.monotonic() if ordered else _KILL_PATIENCE
    stuck = linux.end_all(lambda: linux.descendants(us), patience)
    # The others are dying, as many or big ones may for a while: the parent inherits and reaps them.
    immortal = [(pid, linux.where_in_kernel(pid)) for pid in stuck if linux.is_unkillable(pid)]
    with suppress(OSError):
        orders.send("ended", status, left, immortal, place)
    os._exit(0)


def _await_end(worker: int, orders: Wire, parent: int) -> bool:
    """Wait until the worker is dead, is to be ended, or the parent is gone.

    Returns:
        Whether it is still to be ended.
    """
    ends = os.pidfd_open(worker)
    watched = [ends, orders.fileno()]
    with suppress(OSError):  # gone already
        watched.append(os.pidfd_open(parent))
    while os.getppid() == parent:
        ready, _, _ = select.select(watched, [], [], _PARENT_LOOK)
        if ready:
            return ends not in ready
    return True


def _dump_stacks(worker: int, words: int) -> None:
    """Have the worker write its stacks, and wait until they are written."""
    before = size = os.fstat(words).st_size
    os.kill(worker, signal.SIGCONT)
    os.kill(worker, DUMP_SIGNAL)
    until = time.monotonic() + _DUMP_PATIENCE
    while time.monotonic() < until:
        time.sleep(_PAUSE)
        last, size = size, os.fstat(words).st_size
        if last == size > before:
            return


def _end_worker(worker: int, until: float) -> int | None:
    """Return the wait status of the dead worker; None when it does not die until then."""
    with suppress(ProcessLookupError):
        os.kill(worker, signal.SIGKILL)
    while True:
        pid, status = os.waitpid(worker, os.WNOHANG)
        if pid:
            return status
        if time.monotonic() > until:
            return None
        time.sleep(_PAUSE)


def _left_behind() -> list[tuple[int, str]]:
    """Return what runs on though its worker has ended: named before it is ended."""
    until = time.monotonic() + _SETTLE
    while found := _living_descendants():
        if time.monotonic() > until:
            break
        time.sleep(_PAUSE)
    return [(pid, linux.command_line(pid)) for pid in found]


def _living_descendants() -> list[int]:
    return [pid for pid in linux.descendants(os.getpid()) if linux.is_living(pid)]

"""Runs the body of a heavy check when hardly anybody else wants the processor or the disk."""

from __future__ import annotations

import os
import resource
from collections.abc import Generator, Iterable
from contextlib import suppress
from itertools import takewhile
from pathlib import Path

import pytest

from pytest_yakei.fixtures import record_of
from pytest_yakei.records import worker_key

lowered_key = pytest.StashKey[bool]()
"""Of the session's configuration: this process has a low priority for good."""

NICE = 10
"""A tenth of a busy processor: a check with a time limit must not starve at 19."""
_IDLE = 3 << 13
"""ioprio_set(2): the class that gets the disk when nobody else has asked for a while."""
_CAP_SYS_NICE = 1 << 23  # capabilities(7)
_IOPRIO_WHO_PROCESS = 1
_IOPRIO_SET = {"x86_64": 251, "aarch64": 30, "riscv64": 30, "ppc64le": 273, "s390x": 282}
"""The system call's number; the C library has no function for it."""


def is_low(item: pytest.Item) -> bool:
    """Return whether a check asks for a low priority: the closest marker decides."""
    mark = item.get_closest_marker("low_priority")
    return mark is not None and all((*mark.args, *mark.kwargs.values()))


class LowPriority:
    """Registered in sessions in which a check is marked `low_priority`.

    Only the privileged may raise a priority again (setpriority(2)). Everybody else lowers it only
    where nothing suffers: in a worker, which is not used any more then, or in the session's own
    process when no other check follows. The runner has such checks run last.
    """

    def __init__(self, items: Iterable[pytest.Item]) -> None:
        self._last = {each.nodeid for each in takewhile(is_low, reversed(tuple(items)))}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Lower the priority for the check's own code; fixtures of others may outlive it."""
        if not is_low(item):
            return (yield)
        notes = record_of(item).notes
        returns = may_raise()
        if not returns and worker_key not in item.config.stash and item.nodeid not in self._last:
            notes.append("ran at normal priority: the checks after it could not have theirs back")
            return (yield)
        nice, complaint = lower()
        notes += [complaint] if complaint else []
        item.config.stash[lowered_key] = not returns
        try:
            return (yield)
        finally:
            if returns:
                give_back(nice)


def may_raise() -> bool:
    """Return whether this process may have its priority back."""
    allowed = resource.getrlimit(resource.RLIMIT_NICE)[0]
    needed = 20 - os.getpriority(os.PRIO_PROCESS, 0)  # getrlimit(2): 20 less the nice value
    if allowed == resource.RLIM_INFINITY or allowed >= needed:
        return True
    with suppress(OSError, IndexError):
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return bool(int(status.split("CapEff:")[1].split()[0], 16) & _CAP_SYS_NICE)
    return False


def lower() -> tuple[int, str]:
    """Lower this thread's priority, and so that of all that it starts.

    Returns:
        Its nice value before, and what could not be had, for people; empty when all is well.
    """
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, max(nice, NICE))
    _tell_scheduler(max(nice, NICE))
    error = _set_io_priority(_IDLE)
    return nice, f"ran at normal I/O priority: {error}" if error else ""


def give_back(nice: int) -> None:
    """Give this thread the priority that `lower` took."""
    os.setpriority(os.PRIO_PROCESS, 0, nice)
    _tell_scheduler(nice)
    _set_io_priority(0)  # none of its own: follows from the nice value


def _tell_scheduler(nice: int) -> None:
    """Make a nice value count: with autogroups (sched(7)) it does within one session only."""
    if os.getsid(0) == os.getpid():  # never for a session that is somebody else's too
        with suppress(OSError):  # a kernel without them
            Path("/proc/self/autogroup").write_text(str(nice), encoding="ascii")


def _set_io_priority(priority: int) -> str:
    """Set this thread's I/O priority; return why that is not possible here, or nothing."""
    import ctypes  # most sessions have no such check

    number = _IOPRIO_SET.get(os.uname().machine)
    if number is None:
        return f"unknown how to ask for it on {os.uname().machine}"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(number, _IOPRIO_WHO_PROCESS, 0, priority) < 0:
        return os.strerror(ctypes.get_errno())
    return ""

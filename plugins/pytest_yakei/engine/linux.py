"""What the engine asks of Linux: who belongs to whom, and what became of them."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from pytest_yakei.engine import clock

_KEEP_SIZE_PUNCH_HOLE = 3  # fallocate(2)

_LOOK_AGAIN = 0.01
"""Seconds between two looks at processes that were killed."""
_SHOWN_COMMAND = 200
"""Characters of a command line that a message shows."""
_libc = ctypes.CDLL(None)
own_pid = os.getpid
"""Tells which process we are, also when a check has put something else in the place of
`os.getpid`: whose children we took for ours, we would kill."""


def give_back(descriptor: int, size: int) -> None:
    """Give back what the first bytes of a file take, where the file system can do that."""
    long = ctypes.c_long
    _libc.fallocate(descriptor, _KEEP_SIZE_PUNCH_HOLE, long(0), long(size))


def children(pid: int) -> set[int]:
    """Return the direct children of a process, zombies included; 0 is none, and has none."""
    if not pid:  # the kernel calls so the parent of the system's first processes
        return set()
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        lists = [(task / "children").read_text("ascii") for task in tasks]
    except ProcessLookupError:
        return set()
    except FileNotFoundError:  # gone, or a kernel without CONFIG_PROC_CHILDREN
        return {child for child, parent in _parents() if parent == pid}
    return {int(child) for text in lists for child in text.split()}


def descendants(pid: int) -> list[int]:
    """Return the children of a process and all of theirs, parents first."""
    found = sorted(children(pid))
    for each in found:
        found.extend(sorted(children(each) - set(found)))
    return found


def is_living(pid: int) -> bool:
    """Return whether there is such a process, and it is no zombie."""
    return _state(pid) not in {"", "X", "Z"}


def is_unkillable(pid: int) -> bool:
    """Return whether a process that was killed lives on: it is in uninterruptible sleep."""
    return _state(pid) == "D"


def end_all(find: Callable[[], Iterable[int]], patience: float) -> list[int]:
    """Do all that `ending_all` does, and wait for it."""
    steps = ending_all(find, patience)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            living: list[int] = end.value
            return living
        time.sleep(_LOOK_AGAIN)


def ending_all(
    find: Callable[[], Iterable[int]], patience: float
) -> Generator[None, None, list[int]]:
    """Kill what `find` finds until it finds nothing alive; our own zombies are reaped.

    It yields between two looks, and there the caller may wait.

    Returns:
        Those that KILL did not end within `patience` seconds.
    """
    until = clock.monotonic() + patience
    while living := [pid for pid in find() if not _reap(pid) and is_living(pid)]:
        for number in (signal.SIGSTOP, signal.SIGKILL):  # first all stop, so that none forks on
            for pid in living:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)
        if clock.monotonic() > until:
            return living
        yield
    return []


def has_ended(child: int) -> bool:
    """Return whether a child of ours has ended; it stays to be waited for."""
    look = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return os.waitid(os.P_PID, child, look) is not None


def command_line(pid: int) -> str:
    """Return a process's command line; its name in brackets when it has none to show."""
    with suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
        name = Path(f"/proc/{pid}/comm").read_text(errors="replace").strip()
        return words.decode(errors="replace").strip()[:_SHOWN_COMMAND] or f"[{name}]"
    return ""


def where_in_kernel(pid: int) -> str:
    """Return a process's state and what it waits for in the kernel, as far as we may know."""
    state = {"D": "uninterruptible sleep", "R": "running", "S": "sleeping", "T": "stopped"}
    told = state.get(_state(pid), "")
    with suppress(OSError):
        channel = Path(f"/proc/{pid}/wchan").read_text("ascii")
        if channel not in {"", "0"}:
            told += f" in {channel}"
    return told


def _state(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return ""
    return chr(stat[stat.rindex(b")") + 2])


def _reap(pid: int) -> bool:
    """Return whether the process was a dead child of ours, which is gone now."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return False


def _parents() -> Iterator[tuple[int, int]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                stat = (entry / "stat").read_bytes()
                yield int(entry.name), int(stat[stat.rindex(b")") + 2 :].split()[1])

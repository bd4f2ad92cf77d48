"""Who holds a lock, truthfully: what the kernel says, and only then what the file says."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from yakei.execution.journal import Progress, read_progress
from yakei.execution.processes import Process, command_line, every_pid, read_process
from yakei_shared.durations import format_duration

_CLOCK_SLACK = 2.0
"""Seconds by which a process may seem younger than what it wrote: /proc counts in ticks."""
_LONGEST_NOTE = 4096
_STATES = {
    "T": "stopped (state T): nothing goes on until kill -CONT",
    "t": "stopped by a debugger (state t)",
    "D": "in uninterruptible sleep (state D), which even KILL does not end",
}


class Holder(NamedTuple):
    """The process that holds a lock, and what it is at."""

    pid: int
    command: str
    """Empty when it may not be read."""
    age: float
    """Seconds since it took the lock, or since its start when it does not say."""
    state: str
    """R, S, T (stopped), D (uninterruptible sleep), …"""
    waiting_in: str = ""
    """The kernel function it sleeps in, when it may be read."""
    progress: Progress | None = None
    """How far its suite has come, when it is a run of ours whose journal may be read."""

    def describe(self, path: Path) -> str:
        """Return the lines that tell who holds the lock, what it is at, and what to do."""
        age = format_duration(self.age)
        lines = [
            f"{path} is held by pid {self.pid} for {age}",
            f"Command   {self.command or 'not readable'}",
        ]
        if self.state in _STATES:
            where = f", in {self.waiting_in}" if self.waiting_in else ""
            lines.append(f"State     {_STATES[self.state]}{where}")
        if self.progress:
            lines += [f"Now       {_now(self.progress)}", f"Done      {self.progress.tally()}"]
        return "\n".join([*lines, f"Do        ps -o pid,stat,wchan:20,etime,args -p {self.pid}"])


def find_holder(path: Path) -> Holder | None:
    """Return who holds the flock on a file, None when it cannot be found out.

    /proc/locks names the process that took the lock. When that one is dead, a child has inherited
    it: then the one is looked for that has the file open with the lock on it.
    """
    try:
        file = path.stat()
    except OSError:
        return None
    for pid in (*_takers(file), *_openers(file)):
        process = read_process(pid)
        if process and process.state not in "ZX":
            return _holder(process, path)
    return None


def read_note(path: Path) -> dict[str, Any] | None:
    """Return what a holder wrote into the lock file; None when it is no such line."""
    try:
        with path.open("rb") as file:
            note = json.loads(file.read(_LONGEST_NOTE))
    except (OSError, ValueError):
        return None
    return note if isinstance(note, dict) and isinstance(note.get("pid"), int) else None


def _holder(process: Process, path: Path) -> Holder:
    age, progress = process.age, None  # of a foreign holder: it may have taken the lock later
    note = read_note(path) or {}
    since = _since(note)
    # A younger process has only got the pid of the one that wrote the note.
    if note.get("pid") == process.pid and since is not None and age > since - _CLOCK_SLACK:
        age, progress = since, _progress(note)
    return Holder(
        pid=process.pid,
        command=command_line(process.pid),
        age=max(0.0, age),
        state=process.state,
        waiting_in=_waiting_in(process.pid),
        progress=progress,
    )


def _since(note: dict[str, Any]) -> float | None:
    """Return the seconds since the note was written."""
    try:
        return time.time() - datetime.fromisoformat(note["started"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return None


def _progress(note: dict[str, Any]) -> Progress | None:
    try:
        return read_progress(Path(note["journal"]))
    except (OSError, TypeError):
        return None


def _takers(file: os.stat_result) -> Iterator[int]:
    """Give the pids that /proc/locks names for a file, those on the same device first."""
    device = f"{os.major(file.st_dev):02x}:{os.minor(file.st_dev):02x}"
    same: list[int] = []
    other: list[int] = []
    for line in _lines(Path("/proc/locks")):
        fields = line.split()  # "1: FLOCK ADVISORY WRITE 4711 fe:00:2146336 0 EOF"
        if len(fields) > 5 and fields[1] == "FLOCK":  # noqa: PLR2004 - a waiter has "->" there
            place, _, inode = fields[5].rpartition(":")
            if inode == str(file.st_ino):
                (same if place == device else other).append(int(fields[4]))
    # btrfs and overlayfs show another device in stat(2) than in /proc/locks.
    return iter(same or [pid for pid in other if _has_lock(pid, file)])


def _openers(file: os.stat_result) -> Iterator[int]:
    return (pid for pid in every_pid() if _has_lock(pid, file))


def _has_lock(pid: int, file: os.stat_result) -> bool:
    """Tell whether a process has the file open with a flock on it; no, when we may not look."""
    try:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            if os.path.samestat(link.stat(), file):
                info = _lines(Path(f"/proc/{pid}/fdinfo/{link.name}"))
                if any(line.startswith("lock:") and "FLOCK" in line for line in info):
                    return True
    except OSError:
        pass
    return False


def _waiting_in(pid: int) -> str:
    name = "".join(_lines(Path(f"/proc/{pid}/wchan")))
    return "" if name == "0" else name


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _now(progress: Progress) -> str:
    running = [
        f"{each.nodeid} for {format_duration(max(0.0, time.time() - each.at))}"
        for each in progress.running.values()
    ]
    collecting = f"importing {progress.collecting}" if progress.collecting else ""
    return ", ".join(running) or collecting or "no check is running"

"""What the kernel tells about processes, and the moment by which they must be over."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple, Self


class Deadline(NamedTuple):
    """The moment by which something must be over, on the clock that nobody can set."""

    at: float
    """As time.monotonic() counts."""
    length: timedelta

    @classmethod
    def after(cls, length: timedelta) -> Self:
        """Return the deadline that begins to run now."""
        return cls(time.monotonic() + length.total_seconds(), length)

    def keeping(self, seconds: float) -> Self:
        """Return the deadline for a part of the whole, after which so much time is left."""
        return self._replace(at=self.at - seconds)

    def left(self) -> float:
        """Return the seconds until then, 0 when it has passed."""
        return max(0.0, self.at - time.monotonic())


class Process(NamedTuple):
    """A process as /proc/PID/stat shows it (proc(5))."""

    pid: int
    parent: int
    session: int
    state: str
    """R, S, D (uninterruptible sleep), T (stopped), Z (zombie), …"""
    started: int
    """Clock ticks after boot."""

    @property
    def identity(self) -> tuple[int, int]:
        """What names one process for ever, when the pid has long been somebody else's."""
        return self.pid, self.started

    @property
    def age(self) -> float:
        """Seconds since the process was started."""
        since_boot = time.clock_gettime(time.CLOCK_BOOTTIME)
        return since_boot - self.started / os.sysconf("SC_CLK_TCK")


def every_pid() -> list[int]:
    """Return the pids of all processes that we may see."""
    with os.scandir("/proc") as entries:
        return [int(entry.name) for entry in entries if entry.name.isdigit()]


def read_process(pid: int) -> Process | None:
    """Return the process, or None when there is none, or none that we may see (hidepid)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name may hold spaces and brackets; the fields begin after its last bracket.
    fields = text.rpartition(")")[2].split()
    return Process(
        pid=pid,
        state=fields[0],
        parent=int(fields[1]),
        session=int(fields[3]),
        started=int(fields[19]),
    )


def command_line(pid: int) -> str:
    """Return what was started, as one line of at most 200 characters; empty when unreadable."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    except OSError:
        return ""
    text = " ".join(b" ".join(words).decode(errors="replace").split())
    return text if len(text) <= 200 else f"{text[:199]}…"  # noqa: PLR2004 - two lines of a mail


def started_by(pid: int) -> str:
    """Return the check that ran when the process was started, from the mark pytest leaves.

    pytest sets PYTEST_CURRENT_TEST to `NODEID (PHASE)`, and children inherit it. Empty when the
    process has a cleaned environment or belongs to somebody else.
    """
    with suppress(OSError):
        for entry in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            name, _, value = entry.decode(errors="replace").partition("=")
            if name == "PYTEST_CURRENT_TEST":
                return value.rpartition(" (")[0]
    return ""

"""Reads a pid file without leaving a trace on it."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pytest_yakei.errors import CannotTell
from pytest_yakei.probes.processes import LARGEST_PID, user_name

_MOST_BYTES = 4096
"""A pid file has one line, PostgreSQL's has eight."""
_NUMBER = re.compile(r"\s*(-?)0*([1-9][0-9]{0,9})\s*")
_EPOCH = re.compile(r"[0-9]{1,11}")
_POSTMASTER_LINES = 3
"""A postmaster.pid begins with pid, data directory and start time."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the file system knows of a pid file, and its text."""

    text: str
    written: datetime
    stamp: int
    """The time of writing in nanoseconds: it changes with every writing."""
    owner: int
    """The uid of whoever wrote it, and so of whoever will find it at the next start."""


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a pid file says; all but the pid is in PostgreSQL's only."""

    pid: int
    is_stand_alone: bool = False
    """PostgreSQL writes its pid negative in single-user mode."""
    data_directory: Path | None = None
    started: datetime | None = None
    address: tuple[str, int] | Path | None = None


def read(path: Path) -> Reading | None:
    """Return the pid file's text and times, or None if there is no such file.

    Raises:
        CannotTell: it may not be read, or is no file at all.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise CannotTell(f"{path} is not a regular file")
        descriptor = _opened(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        user = user_name(os.geteuid())
        raise CannotTell(f"{path} cannot be read as user {user}: {error.strerror}") from None
    try:
        status = os.fstat(descriptor)
        text = os.read(descriptor, _MOST_BYTES).decode(errors="replace")
    finally:
        os.close(descriptor)
    return Reading(
        text=text,
        written=datetime.fromtimestamp(status.st_mtime, UTC),
        stamp=status.st_mtime_ns,
        owner=status.st_uid,
    )


def _opened(path: Path) -> int:
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        return os.open(path, flags | os.O_NOATIME)
    except PermissionError:  # O_NOATIME is for the file's owner and root
        return os.open(path, flags)


def parse(text: str, *, is_postmaster: bool) -> Content | None:
    """Return what a pid file says, or None if its first line is no process id.

    Args:
        text: the file's text.
        is_postmaster: whether it is a postmaster.pid; only there a negative number means something.
    """
    lines = text.splitlines()
    number = _NUMBER.fullmatch(lines[0]) if lines else None
    if number is None or int(number[2]) > LARGEST_PID or (number[1] and not is_postmaster):
        return None
    pid, is_stand_alone = int(number[2]), bool(number[1])
    if not is_postmaster or len(lines) < _POSTMASTER_LINES:
        return Content(pid=pid, is_stand_alone=is_stand_alone)
    return Content(
        pid=pid,
        is_stand_alone=is_stand_alone,
        data_directory=Path(lines[1]),
        started=datetime.fromtimestamp(int(lines[2]), UTC) if _EPOCH.fullmatch(lines[2]) else None,
        address=_postmaster_address(lines),
    )


def _postmaster_address(lines: list[str]) -> tuple[str, int] | Path | None:
    """Return where PostgreSQL listens: line 4 is the port, 5 the socket's folder, 6 the host."""
    port, folder, host, *_ = (*lines[3:6], "", "", "")
    if not port.isdecimal():
        return None
    if host:
        everywhere = {"*": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - a name to look up, not to bind
        return everywhere.get(host, host), int(port)
    return Path(folder) / f".s.PGSQL.{port}" if folder else None

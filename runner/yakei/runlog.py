"""The log file: every run appended in cronlog's format, for those who read it with their eyes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from yakei.results import Problem, ProblemKind

SEPARATOR = "-" * 78 + "\n"
_BLOCK = 1 << 20
"""Bytes of a file that are copied at a time."""
_HEAD = 32 * 1024
"""Characters of a long text's beginning that an excerpt keeps."""
_TAIL = 96 * 1024
"""The same of its end, where the errors are."""


class Stamp(StrEnum):
    """What stands before each line."""

    NONE = "none"
    ISO = "iso"
    """`[2010-01-09T03:05:02+09:00] `"""
    CTIME = "ctime"
    """`[Sat Jan  9 03:05:02 2010] `, as cronlog writes it: for those who parse old logs."""


class RunLog:
    """One run's part of a log file: 78 dashes, `HOST starting: …`, the output, how it ended.

    The file is opened anew for each run, so logrotate may rename it. A log that cannot be opened
    or written never stops a run: it becomes a `problem`.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        stamp: Stamp = Stamp.NONE,
        redact: Callable[[str], str] = str,
    ) -> None:
        """Open the file; without a path the lines are only returned.

        Args:
            path: the log file; its folder must exist.
            stamp: what stands before each line.
            redact: takes the secrets out of a text of whole lines.
        """
        self.problem: Problem | None = None
        """What is wrong with the log, once something is."""
        self._path, self._stamp, self._redact = path, stamp, redact
        self._file: int | None = None
        if path:
            # O_NONBLOCK: a FIFO that nobody reads must not hold up the run.
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
            try:
                self._file = os.open(path, flags, 0o666)
            except OSError as error:
                self._give_up(error)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def begin(self, host: str, command: Sequence[str]) -> str:
        """Write the dashes and the first line; return that line."""
        self._append(SEPARATOR)
        return self.write(f"{host} starting: {' '.join(command)}\n")

    def write(self, text: str) -> str:
        """Write whole lines; return them as they were written, stamped and without secrets."""
        text = self._redact(text)
        if prefix := self._prefix():
            lines = text.removesuffix("\n").split("\n")
            text = "".join(f"{prefix}{line}\n" for line in lines)
        self._append(text)
        return text

    def copy(self, path: Path) -> None:
        """Write the content of a file, of any size.

        Raises:
            OSError: the file cannot be read.
        """
        with path.open("rb") as file:
            while lines := file.readlines(_BLOCK):
                text = b"".join(lines).decode(errors="replace")
                self.write(text if text.endswith("\n") else text + "\n")

    def end(self, exit_code: int) -> str:
        """Write the last line; return it. A negative code is a signal."""
        if exit_code < 0:
            return self.write(f"command died with signal:{-exit_code}\n")
        return self.write(f"command exited with code:{exit_code}\n")

    def _prefix(self) -> str:
        match self._stamp:
            case Stamp.ISO:
                return f"[{datetime.now(UTC).astimezone().isoformat(timespec='seconds')}] "
            case Stamp.CTIME:
                return f"[{time.ctime()}] "
        return ""

    def _append(self, text: str) -> None:
        rest = text.encode(errors="replace")
        try:
            # write(2) may take only a part before the disk is full.
            while rest and self._file is not None:
                rest = rest[os.write(self._file, rest) :]
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
        text = f"log {self._path} cannot be written: {error.strerror}; the run went on without it"
        self.problem = Problem(kind=ProblemKind.LOG, text=text)


class Excerpt:
    """A text of any length, of which only the beginning and the end stay in memory."""

    def __init__(self) -> None:
        self._head = self._tail = ""
        self._length = 0

    def add(self, text: str) -> None:
        """Append to the text."""
        self._length += len(text)
        room = _HEAD - len(self._head)
        self._head += text[:room]
        self._tail = (self._tail + text[room:])[-_TAIL:]

    def __str__(self) -> str:
        return _abridged(self._head, self._length - len(self._head) - len(self._tail), self._tail)


def excerpt_of(path: Path) -> str:
    """Return the beginning and the end of a file.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
        left_out = max(0, path.stat().st_size - _HEAD - _TAIL)
        file.seek(_HEAD + left_out)
        tail = file.read(_TAIL)
    if not left_out:  # decoded as one, so that no character is cut in two
        return (head + tail).decode(errors="replace")
    return _abridged(head.decode(errors="replace"), left_out, tail.decode(errors="replace"))


def _abridged(head: str, left_out: int, tail: str) -> str:
    if not left_out:
        return head + tail
    whole = head[: head.rfind("\n") + 1] or f"{head}\n"
    rest = tail[tail.find("\n") + 1 :]
    left_out += len(head) + len(tail) - len(whole) - len(rest)
    return f"{whole}… {left_out:,} characters are left out here …\n{rest}"

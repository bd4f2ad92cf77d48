"""Reads the end of slon's log for what is serious, whatever the wording or the language."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_yakei.errors import CannotTell
from pytest_yakei.probes.slony.stamps import Stamps
from yakei_shared.redaction import Redactor

MOST_BYTES = 16 * 1024 * 1024
"""Of a larger log only the end is read; slon at its most talkative needs an hour to fill that."""

_CANDIDATE = re.compile(rb"FATAL|sl_nodelock-pkey|23505")
_LEVEL = re.compile(r"(?:^|[\s\]])(DEBUG[1-4]|CONFIG|INFO|WARN|ERROR|FATAL) +(?=\S)")
"""slon writes the level six characters wide; libpq's own `FATAL:` has a colon."""
_LEVEL_WITHIN = 100
"""Characters of a line among which the level stands: after a time, a host, a pid."""
_GAVE_UP = frozenset(("ERROR", "FATAL", ""))
_DUPLICATE_KEY = re.compile(r"\b23505:\s|SQLSTATE\W{0,3}23505\b")
_LAST_WORDS = 4096
"""Bytes at the end of a log without times that are as old as the file: slon's last burst."""
_LONGEST = 20
"""Lines that one entry may have."""
_KEPT = 2000
"""Characters of an entry that are kept: the statement, and what PostgreSQL said about it."""


@dataclass(frozen=True)
class Entry:
    """One message in the log, with the lines that continue it; its text holds no secret.

    Attributes:
        at: when it was written; None where nothing says so.
        level: slon's word for it; "" if it has none.
        offset: where it begins, in bytes of the file.
    """

    at: datetime | None
    level: str
    text: str
    offset: int = 0

    @property
    def is_of_the_lock(self) -> bool:
        """Whether slon was refused its lock: by the constraint's name, which is not translated."""
        return self.level in _GAVE_UP and "sl_nodelock-pkey" in self.text

    @property
    def is_duplicate_key(self) -> bool:
        """Whether slon met a duplicate key, be it in its lock or in the data."""
        duplicate = self.level in _GAVE_UP and _DUPLICATE_KEY.search(self.text)
        return bool(duplicate) or self.is_of_the_lock

    @property
    def is_serious(self) -> bool:
        """Whether anybody should know."""
        return self.level == "FATAL" or self.is_duplicate_key


@dataclass(frozen=True, kw_only=True)
class Tail:
    """The end of the log: its bytes, where they begin in the file, and the file's identity."""

    data: bytes
    start: int
    inode: int
    written: datetime

    @property
    def end(self) -> int:
        """The file's length."""
        return self.start + len(self.data)


def serious_entries(path: Path, since: datetime, memory: MutableMapping[str, Any]) -> list[Entry]:
    """Return the serious entries that were written since a moment, each with its time.

    An entry without a time is new if it stands behind the length that the log had in the last
    run, which `memory` keeps; it is then as old as the file. The first run takes all but the
    log's last words for old.

    Raises:
        CannotTell: the log cannot be read.
    """
    tail = _read(path)
    entries = [entry for entry in _candidates(tail) if entry.is_serious]
    new_from = _known_length(tail, memory)
    undated = [
        *(Entry(datetime.fromisoformat(at), *rest) for at, *rest in memory.get("undated", [])),
        *(
            replace(entry, at=tail.written)
            for entry in entries
            if entry.at is None and entry.offset >= new_from
        ),
    ]
    undated = [entry for entry in undated if entry.at and entry.at >= since]
    kept = [[str(entry.at), entry.level, entry.text] for entry in undated]
    memory.update(inode=tail.inode, length=tail.end, undated=kept)
    return [entry for entry in entries if entry.at and entry.at >= since] + undated


def _read(path: Path) -> Tail:
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            start = file.seek(max(0, status.st_size - MOST_BYTES))
            data = file.read(MOST_BYTES)
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        advice = "is it the file that slon writes on this host?" if missing else "let us read it"
        raise CannotTell(f"slon's log {path} cannot be read: {error.strerror}; {advice}") from None
    written = datetime.fromtimestamp(status.st_mtime, UTC)
    return Tail(data=data, start=start, inode=status.st_ino, written=written)


def _known_length(tail: Tail, memory: MutableMapping[str, Any]) -> int:
    """Return how much of the file the last run has seen, and so has judged."""
    if "length" not in memory:
        return tail.end - _LAST_WORDS
    same = memory.get("inode") == tail.inode and memory["length"] <= tail.end
    return int(memory["length"]) if same else 0


def _candidates(tail: Tail) -> Iterator[Entry]:
    """Yield the entries with a line that may be serious."""
    if not _CANDIDATE.search(tail.data):
        return
    stamps, redactor = Stamps(tail.written, _last_stamped_line(tail)), Redactor()
    heads = set()
    for match in _CANDIDATE.finditer(tail.data):
        head = _head(tail.data, match.start(), stamps)
        if head in heads:
            continue
        heads.add(head)
        first = _line_at(tail.data, head)
        level = _LEVEL.search(first[:_LEVEL_WITHIN])
        end = tail.data.find(b"\n", match.end())
        text = tail.data[head : None if end < 0 else end].decode(errors="replace")
        words = redactor.redact(" ".join(text.split()))[:_KEPT]
        yield Entry(stamps.of(first), level[1] if level else "", words, tail.start + head)


def _last_stamped_line(tail: Tail) -> str:
    stamps, position = Stamps(tail.written), len(tail.data)
    for _ in range(_LONGEST):
        position = _start_of_line(tail.data, position - 1)
        line = _line_at(tail.data, position)
        if position == 0 or stamps.of(line):
            return line
    return ""


def _head(data: bytes, position: int, stamps: Stamps) -> int:
    """Return where the entry begins: a line with neither a time nor a level continues another."""
    found = start = _start_of_line(data, position)
    for _ in range(_LONGEST):
        line = _line_at(data, start)
        if not line[:1].isspace() and (stamps.of(line) or _LEVEL.search(line[:_LEVEL_WITHIN])):
            return start
        if start == 0:
            break
        start = _start_of_line(data, start - 1)
    return found


def _start_of_line(data: bytes, position: int) -> int:
    return data.rfind(b"\n", 0, max(0, position)) + 1


def _line_at(data: bytes, start: int) -> str:
    end = data.find(b"\n", start)
    return data[start : None if end < 0 else end].decode(errors="replace")

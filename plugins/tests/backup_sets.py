"""Makes real backups for the tests: folders of dumps, sets of blocks, the log of their runs."""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from pytest_yakei.context import Context
from pytest_yakei.probes.backups import KINDS

NOW = datetime(2026, 1, 20, 12, 0, tzinfo=UTC)
"""The time of the tests, unless they say otherwise: far from the first of a month."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
USUAL = 300_000
"""Bytes of an ordinary dump."""
ARCHIVE_BEGIN, ARCHIVE_END = b"PGDMP\x01\x0e\x00", bytes(5)


@dataclass
class Run:
    """One run of the checks on one configured entry; `memory` goes on to the next run."""

    kind: str
    settings: dict[str, Any]
    memory: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def ask(self, question: str, now: datetime = NOW) -> str:
        """Return what a rule finds, as the check's message; each rule has a memory of its own."""
        memory = self.memory.setdefault(question, {})
        return str(getattr(self.probe(memory, now), question)())

    def probe(self, memory: MutableMapping[str, Any], now: datetime = NOW) -> Any:
        """Return the probe that the fixture `backup` would be."""
        module = import_module(KINDS[self.kind])
        context = Context(
            name="export",
            settings=module.Settings(**self.settings),
            database=_no_database,
            memory=memory,
            now=now,
            note=self.notes.append,
        )
        return module.probe(context)

    def everything(self, now: datetime = NOW) -> list[str]:
        """Return what the rules of the five-minute run find, empty when all is well."""
        return [found for rule in FIVE_MINUTE_RULES if (found := self.ask(rule, now))]


FIVE_MINUTE_RULES = (
    "late_members",
    "damaged_sets",
    "shrunk",
    "losses",
    "log_problems",
    "grown",
    "retention_problems",
    "leftovers",
)


def _no_database(name: str) -> Any:
    raise AssertionError(f"a backup's check asked for the database {name}")


def touch(path: Path, at: datetime) -> Path:
    """Give a file the modification time `at`."""
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def archive(size: int = USUAL) -> bytes:
    """Return bytes that begin and end as those of `pg_dump -Fc` do."""
    middle = size - len(ARCHIVE_BEGIN) - len(ARCHIVE_END)
    return ARCHIVE_BEGIN + b"x" * max(0, middle) + ARCHIVE_END


def dump(
    folder: Path,
    member: str,
    age: timedelta,
    content: bytes | int = USUAL,
    *,
    suffix: str = ".dump",
    now: datetime = NOW,
) -> Path:
    """Write a dump that was begun, and ended, `age` before `now`."""
    path = folder / f"{member}_{now - age:%Y%m%d%H%M%S}{suffix}"
    path.write_bytes(archive(content) if isinstance(content, int) else content)
    return touch(path, now - age)


def dumps(
    folder: Path,
    member: str = "app",
    *,
    number: int = 14,
    newest: timedelta = 2 * HOUR,
    every: timedelta = 12 * HOUR,
) -> list[Path]:
    """Write a series of ordinary dumps, and return them, the newest first."""
    return [dump(folder, member, newest + every * index) for index in range(number)]


def dump_run(folder: Path, *members: str, **settings: Any) -> Run:
    """Return the checks of a folder of dumps: twice a day, kept for a week, names in UTC."""
    usual = {"max_age": 13 * HOUR, "retention": 7 * DAY, "zone": "UTC"}
    return Run("dumps", {"path": folder, "members": members or ("app",), **usual, **settings})


@dataclass
class BlockWriter:
    """Writes a set as blockdiff_backup does: checksums, data, and last the version."""

    folder: Path
    name: str
    volume: bytes = bytes(range(256)) * 40
    block_size: int = 1024
    version: int = 0
    known: list[bytes] = field(default_factory=list)

    def path(self, rest: str) -> Path:
        """Return a file of the set: `path("2.md5")`."""
        return self.folder / f"{self.name}.{rest}"

    def write(self, at: datetime, *, volume: bytes | None = None) -> None:
        """Back the volume up as the next version."""
        self.volume = self.volume if volume is None else volume
        self.version += 1
        header = self.block_size.to_bytes(4, "little")
        digests, data = [], [header]
        for number, offset in enumerate(range(0, len(self.volume), self.block_size)):
            block = self.volume[offset : offset + self.block_size]
            digests.append(hashlib.md5(block).digest())
            if self.known[number : number + 1] != digests[-1:]:
                data += [offset.to_bytes(8, "little"), block]
        self.known = digests
        self.path(f"{self.version}.md5").write_bytes(header + b"".join(digests))
        self.path(f"{self.version}.gz").write_bytes(gzip.compress(b"".join(data)))
        self.path("ver").write_text(f"{self.version}\n")
        for rest in (f"{self.version}.md5", f"{self.version}.gz", "ver"):
            touch(self.path(rest), at)

    def change(self, block: int) -> None:
        """Change one byte of the volume."""
        volume = bytearray(self.volume)
        volume[block * self.block_size % len(volume)] ^= 0xFF
        self.volume = bytes(volume)


def block_set(
    folder: Path,
    name: str,
    *,
    versions: int = 3,
    newest: timedelta = 8 * HOUR,
    now: datetime = NOW,
) -> BlockWriter:
    """Write a set of several versions, one a day, in each of which one block has changed."""
    writer = BlockWriter(folder, name)
    for number in range(versions):
        writer.change(number)
        writer.write(now - newest - DAY * (versions - 1 - number))
    return writer


def block_run(folder: Path, *members: str, **settings: Any) -> Run:
    """Return the checks of a folder of block sets."""
    given = {"path": folder, "members": members or ("srv00",), "zone": "UTC", **settings}
    return Run("blockdiff", given)


def cronlog(*blocks: list[str], ended: str = "command exited with code:0") -> str:
    """Return a log of several runs; the last one ends with `ended`, or goes on if that is ""."""
    lines: list[str] = []
    for index, block in enumerate(blocks):
        last = ended if index == len(blocks) - 1 else "command exited with code:0"
        lines += ["-" * 78, *block, *([last] if last else [])]
    return "\n".join(lines) + "\n"


def at(clock: str, text: str) -> str:
    """Return a line of the log as `cronlog -t` writes it, on the day of the tests."""
    return f"[Tue Jan 20 {clock} 2026] {text}"

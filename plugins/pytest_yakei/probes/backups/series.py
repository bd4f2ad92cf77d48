"""The backups of one member in the order of time, and what is usual among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

COMPARED = 5
"""How many backups say what is usual: after three of a new size, that size is the usual one."""
ENOUGH_FOR_GROWTH = 3
"""Backups before "far larger than usual" means anything: a new database grows from nothing."""
DUMP_FOLDER = "/"
"""The end of the suffix of a folder that is one dump (`pg_dump -Fd`)."""
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


@dataclass(frozen=True, kw_only=True)
class Backup:
    """One backup of one member; its size is compared with others of the same `suffix`."""

    member: str
    path: Path
    size: int
    modified: datetime
    named: datetime | None = None
    """The time in the name: when the backup began."""
    suffix: str = ""
    is_folder: bool = False
    is_partial: bool = False
    """Its name says that it is not finished: `.part`, `.tmp`, …"""

    @property
    def name(self) -> str:
        """Return the name within its folder."""
        return self.path.name

    def age(self, now: datetime) -> float:
        """Return the seconds since it was written or, if that is more, since its name's time.

        A copy has a new modification time and keeps its name.
        """
        born = min(self.modified, self.named or self.modified)
        return (now - born).total_seconds()


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """What a folder holds: backups by member, the oldest first."""

    members: Mapping[str, Sequence[Backup]] = field(default_factory=dict)
    strangers: Mapping[str, Sequence[Backup]] = field(default_factory=dict)
    """Backups whose member is not configured."""
    problem: str = ""
    """Why there is nothing to judge: the folder is missing or empty."""

    def series(self) -> Iterator[list[Backup]]:
        """Yield the backups of one member and one suffix, the oldest first."""
        for backups in self.members.values():
            for suffix in sorted({backup.suffix for backup in backups}):
                yield [backup for backup in backups if backup.suffix == suffix]

    def peers(self, backup: Backup) -> list[Backup]:
        """Return the other backups of the same member and suffix."""
        others = self.members.get(backup.member, ())
        return [one for one in others if one.suffix == backup.suffix and one != backup]


class Size(NamedTuple):
    """What is remembered of a backup's size, so that a file written in place has a history."""

    name: str
    modified: float
    size: int


def in_order(backups: Iterable[Backup]) -> list[Backup]:
    """Return backups, the oldest first."""
    return sorted(backups, key=lambda backup: (backup.modified, backup.name))


def remembered_sizes(memory: MutableMapping[str, Any], series: Sequence[Backup]) -> list[Size]:
    """Return the sizes of one series with those that the memory adds, and keep the last few.

    The last one is of the newest that is there: one that was newer, and was cleared away, is
    forgotten.

    Args:
        memory: the check's document; sizes are kept in it under "sizes".
        series: finished backups of one member and one suffix, the oldest first; not empty.
    """
    kept = memory.setdefault("sizes", {})
    key = f"{series[-1].member}{series[-1].suffix}"
    sizes = {Size(*item) for item in kept.get(key, [])}
    sizes |= {Size(backup.name, backup.modified.timestamp(), backup.size) for backup in series}
    newest = series[-1].modified.timestamp()
    ordered = sorted((size for size in sizes if size.modified <= newest), key=lambda s: s.modified)
    kept[key] = [list(size) for size in ordered[-COMPARED - 1 :]]
    return ordered


def usual_size(sizes: Sequence[Size], since: datetime | None, *, at_least: int = 1) -> float | None:
    """Return the median of the last sizes before the newest, in bytes; None if there are too few.

    Args:
        sizes: the oldest first; the last one is the one to judge.
        since: sizes of backups before this time say nothing about today.
        at_least: with fewer there is nothing to compare with.
    """
    start = since.timestamp() if since else 0
    before = [item.size for item in sizes[:-1] if item.size > 0 and item.modified >= start]
    return median(before[-COMPARED:]) if len(before) >= at_least else None


def percent(part: float, whole: float) -> str:
    """Return a share for people: `0.1 %`, `43 %`."""
    share = 100 * part / whole
    few = 10  # below ten per cent a tenth still tells something
    return f"{share:.1f} %" if share < few else f"{share:.0f} %"


def format_size(size: float) -> str:
    """Return bytes for people: `300 B`, `4.1 GiB`."""
    unit = 0
    while size >= 1024 and unit < len(_UNITS) - 1:  # noqa: PLR2004 - KiB, MiB, …
        size, unit = size / 1024, unit + 1
    return f"{size:.0f} B" if unit == 0 else f"{size:.1f} {_UNITS[unit]}"

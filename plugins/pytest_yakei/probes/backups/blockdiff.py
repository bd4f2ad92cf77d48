"""A folder of block sets: per volume and month a full backup and the increments since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pytest_yakei.context import Context
from pytest_yakei.probes.backups.blockbackups import BlockBackups
from pytest_yakei.probes.backups.moments import check_zone
from pytest_yakei.probes.backups.rules import (
    check_members,
    check_moment,
    check_percents,
    check_positive,
)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The keys of `[backups.NAME]` with `kind = "blockdiff"`."""

    path: Path
    """The folder."""
    members: tuple[str, ...]
    """What must have a set: names, or what they begin with before a `-`, `.` or `_` (`srv00` for
    `srv00-pv-lv-201001`); in the order in which they are backed up."""
    max_age: timedelta = timedelta(hours=26)
    """The last good version of each volume is younger than this: the period and a run."""
    month_deadline: timedelta = timedelta(hours=6)
    """How long after the month's beginning last month's set is still enough."""
    retention: timedelta | None = None
    """How long a set is kept after its last version; without it, until there is a newer one."""
    cleaning: timedelta = timedelta(days=1)
    """How often old sets are deleted."""
    stuck_after: timedelta = timedelta(hours=6)
    """Files of an unfinished version that have not grown for so long are those of a died run."""
    min_percent: float = 50
    """A full backup has at least this share of the median of those of the five months before."""
    max_percent: float = 300
    """A full backup, or an increment, has at most this share of its median."""
    accepted_since: str = ""
    """`2026-01-31 04:00`: sizes from before are not compared with, and what went missing from
    before is not told any more."""
    lock: Path | None = None
    """The lock file that the backup holds while it runs."""
    log: Path | None = None
    """The log that cronlog keeps of the runs."""
    max_locked: timedelta = timedelta(seconds=30)
    """How long a database may be locked for the snapshot; four seconds are healthy."""
    longest_run: timedelta = timedelta(hours=6)
    """How long a run may take."""
    zone: str = "local"
    """The zone of the months in names, and of the log."""
    verify_timeout: timedelta = timedelta(hours=2)
    """How long reading one version from end to end may take."""

    def __post_init__(self) -> None:
        """Check what no single value shows."""
        check_members(self.members)
        check_zone(self.zone)
        check_moment(self.accepted_since)
        check_percents(self.min_percent, self.max_percent)
        check_positive(max_age=self.max_age, retention=self.retention)


def probe(context: Context[Settings]) -> BlockBackups:
    """Return the folder of sets, which is not looked at before it is asked."""
    return BlockBackups(context)

"""Snapshots of btrfs: per host and target a subvolume `cur` and its snapshots, named by time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path, PurePath

from pytest_yakei.context import Context
from pytest_yakei.probes.backups.moments import check_zone
from pytest_yakei.probes.backups.rules import (
    check_members,
    check_moment,
    check_percents,
    check_positive,
)
from pytest_yakei.probes.backups.snapshotbackups import SnapshotBackups

MEMBER_PARTS = 2
"""A member is a host and a target."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The keys of `[backups.NAME]` with `kind = "btrfs"`."""

    path: Path
    """The folder that holds a folder for each host, with a folder for each target."""
    members: tuple[str, ...]
    """What must have snapshots: `db00/home`, host and target."""
    max_age: timedelta = timedelta(hours=26)
    """The newest snapshot of each member is younger than this: the period and a run."""
    retention: timedelta | None = None
    """When a snapshot is deleted; without it, every snapshot that goes is a loss."""
    cleaning: timedelta = timedelta(days=1)
    """How often snapshots are deleted."""
    max_snapshots: int | None = None
    """How many snapshots of one member are too many."""
    current: str = "cur"
    """The name of the subvolume that is copied to."""
    time_format: str = "%Y-%m-%dT%H:%M:%S"
    """How to read the name of a snapshot."""
    zone: str = "local"
    """The zone of the times in names."""
    min_percent: float = 50
    """The newest snapshot has at least this share of the entries of the one before it."""
    max_percent: float = 300
    """The newest snapshot has at most this share of them; beyond, there is a warning."""
    count_up_to: int = 50_000
    """Entries that are counted; of larger trees only a loss down to less than this is seen."""
    min_unallocated_percent: float = 5
    """The share of the disk that no chunk has taken yet; less is a warning, if it is also less
    than 1 GiB: df shows free space while there is none for metadata."""
    accepted_since: str = ""
    """`2026-01-31 04:00`: snapshots from before are not compared with, and what went missing from
    before is not told any more."""

    def __post_init__(self) -> None:
        """Check what no single value shows."""
        check_members(self.members)
        check_zone(self.zone)
        check_moment(self.accepted_since)
        check_percents(self.min_percent, self.max_percent)
        check_positive(max_age=self.max_age, retention=self.retention)
        for member in self.members:
            parts = PurePath(member).parts
            if len(parts) != MEMBER_PARTS or ".." in parts:
                raise ValueError(f'members: expected "HOST/TARGET", got "{member}"')


def probe(context: Context[Settings]) -> SnapshotBackups:
    """Return the folder of snapshots, which is not looked at before it is asked."""
    return SnapshotBackups(context)

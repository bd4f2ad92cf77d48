"""What is expected of the number and the age of snapshots, and of the disk they are on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_yakei.probes.backups.losses import Seen
from pytest_yakei.probes.backups.moments import coarse
from pytest_yakei.probes.backups.retention import SLACK
from pytest_yakei.probes.backups.series import format_size, percent
from pytest_yakei.probes.backups.subvolumes import Snapshot, unallocated

if TYPE_CHECKING:
    from pytest_yakei.probes.backups.btrfs import Settings

ENOUGH = 1 << 30
"""Bytes without a chunk: one chunk of data; with less, df may show space that nobody can use."""


def kept(
    member: str, snapshots: Sequence[Snapshot], settings: Settings, now: datetime
) -> Iterator[str]:
    """Yield that a member has too many snapshots, or too old ones."""
    most, keep = settings.max_snapshots, settings.retention
    if most is not None and len(snapshots) > most:
        yield f"{member}: {len(snapshots)} snapshots (limit {most}): nobody deletes them"
    if keep and snapshots:
        age, limit = now - snapshots[0].taken, keep + settings.cleaning + SLACK
        if age > limit:
            ages = f"oldest is {coarse(age)} old (limit {coarse(limit)})"
            yield f"{member}: {ages}: retention not running"


def nearly_full(path: Path, min_percent: float) -> Iterator[str]:
    """Yield that hardly any of the disk is left to make chunks of.

    Raises:
        CannotTell: `btrfs` gives no answer.
    """
    free, size = unallocated(path)
    if free < ENOUGH and free < size * min_percent / 100:
        share = f"{percent(free, size)} of the disk unallocated (limit {min_percent:g} %)"
        yield f"{path}: {share}\n  {format_size(free)} are left, whatever df shows"


def as_seen(snapshot: Snapshot) -> Seen:
    """Return what to remember of a snapshot; its size is not known."""
    moment = snapshot.taken.timestamp()
    return Seen(member=snapshot.member, size=0, born=moment, modified=moment)

"""What is expected of the sets of one volume, from month to month."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pytest_yakei.probes.backups.blockset import NAME, SET, BlockSet
from pytest_yakei.probes.backups.listing import Entry
from pytest_yakei.probes.backups.losses import Comparison, Seen, compare, due_to_go
from pytest_yakei.probes.backups.moments import CLOCKS_DIFFER, ago, coarse, to_local, written
from pytest_yakei.probes.backups.retention import SLACK
from pytest_yakei.probes.backups.series import Size, format_size
from pytest_yakei.probes.backups.sizes import too_large, too_small

INCREMENT_FLOOR = 0.1
"""An increment of less than this share of the full backup is never "far larger than usual"."""


def late(
    title: str,
    sets: Sequence[BlockSet],
    *,
    max_age: timedelta,
    month_deadline: timedelta,
    zone: str,
    now: datetime,
) -> Iterator[str]:
    """Yield that a volume's last good version is too old, or that the month has no set yet."""
    complete = [one for one in sets if one.version and one.marker]
    if not complete:
        yield f"{title}: no complete version yet\n  {sets[-1].name}{_partial(sets[-1], zone)}"
        return
    newest = complete[-1]
    last = max(one.marker.modified for one in complete if one.marker)
    when = f"\n  {newest.name}, version {newest.version}, {written(last, zone)}"
    when += _partial(sets[-1], zone)
    month = f"{to_local(now - month_deadline, zone):%Y%m}"
    if last - now > CLOCKS_DIFFER:
        yield f"{title}: last version dated {coarse(last - now)} in the future{when}"
    elif now - last >= max_age:
        yield f"{title}: last good {ago(last, now)} (limit {coarse(max_age)}){when}"
    elif newest.month and newest.month < month:
        yield f"{title}: no set of {month} (limit: {coarse(month_deadline)} into the month){when}"


def _partial(one: BlockSet, zone: str) -> str:
    """Return what an unfinished version has left, for the details of a message."""
    files = one.unfinished()
    if not files:
        return ""
    size = format_size(sum(entry.size for entry in files))
    last = written(max(entry.modified for entry in files), zone)
    return f"\n  unfinished: {files[0].name}, {size}, {last}"


def died(one: BlockSet, stuck_after: timedelta, now: datetime) -> str:
    """Return that an unfinished version has not grown for too long, or ""."""
    files = one.unfinished()
    idle = now - max((entry.modified for entry in files), default=now)
    if idle < stuck_after:
        return ""
    valid = f"valid at version {one.version}" if one.version else "without any version"
    return (
        f"{one.name}: last run died {coarse(idle)} ago (limit {coarse(stuck_after)})\n"
        f"  {files[0].name} is partial and will be overwritten; the set is still {valid}"
    )


def stranger(one: BlockSet, max_age: timedelta, now: datetime) -> str:
    """Return that a set is being written whose member is not configured, or ""."""
    if one.member or one.marker is None or now - one.marker.modified >= max_age:
        return ""
    when = ago(one.marker.modified, now)
    return f"{one.stem}: has backups and is not among the members\n  {one.name}, {when}"


def full_too_small(sets: Sequence[BlockSet], limit: float, since: datetime | None) -> str:
    """Return that the newest full backup is far smaller than earlier ones, or "".

    Increments have no lower limit: a volume may not have changed.
    """
    fulls = [_size(one.full) for one in sets if one.full]
    return too_small(fulls[-1].name, fulls, limit, since) if fulls else ""


def too_large_of(sets: Sequence[BlockSet], limit: float, since: datetime | None) -> Iterator[str]:
    """Yield that the newest full backup, or the newest increment, is far larger than usual."""
    fulls = [_size(one.full) for one in sets if one.full]
    if fulls:
        yield too_large(fulls[-1].name, fulls, limit, since)
    increments = [_size(entry) for one in sets for entry in one.increments()]
    floor = fulls[-1].size * INCREMENT_FLOOR if fulls else 0
    if sets[-1].increments() and increments[-1].size > floor:
        yield too_large(increments[-1].name, increments, limit, since)


def _size(entry: Entry) -> Size:
    """Return name, time and size of a data file."""
    return Size(entry.name, entry.modified.timestamp(), entry.size)


def too_old(
    sets: Sequence[BlockSet], keep: timedelta | None, cleaning: timedelta, now: datetime
) -> str:
    """Return that the oldest set should have been deleted, or ""."""
    oldest = sets[0]
    if keep is None or oldest.marker is None:
        return ""
    age, limit = now - oldest.marker.modified, keep + cleaning + SLACK
    if age <= limit:
        return ""
    times = f"ended {coarse(age)} ago (limit {coarse(limit)})"
    return f"{oldest.name}: {times}: retention not running"


def rewound(
    memory: MutableMapping[str, Any], volumes: Sequence[Sequence[BlockSet]], since: datetime | None
) -> list[str]:
    """Return the sets whose version has gone back; `memory` keeps the highest of each."""
    before, now_known, texts = memory.get("versions", {}), {}, []
    for one in (one for sets in volumes for one in sets if one.version and one.marker):
        written_at = one.marker.modified.timestamp() if one.marker else 0
        highest, at = before.get(one.name, (0, 0))
        if since and at < since.timestamp():
            highest = 0
        if one.version < highest:
            texts.append(f"{one.name}: version {one.version}, was {highest}: replaced?")
        now_known[one.name] = max((highest, at), (one.version, written_at))
    memory["versions"] = {name: list(known) for name, known in now_known.items()}
    return texts


def compare_files(
    memory: MutableMapping[str, Any],
    volumes: Sequence[Sequence[BlockSet]],
    *,
    members: Sequence[str],
    keep: timedelta | None,
    since: datetime | None,
    now: datetime,
) -> Comparison:
    """Return which files of complete versions have gone, or have become smaller.

    A set may go as a whole, once it is old enough, and once a newer one of its volume is complete.
    """
    complete = [one for sets in volumes for one in sets if one.version]
    due, accepted = due_to_go(keep, now), since.timestamp() if since else 0

    def may_be_gone(name: str, file: Seen) -> bool:
        if file.modified < accepted:
            return True
        return _has_successor(name, complete) and (keep is None or due(name, file))

    return compare(
        memory,
        {entry.name: _seen(one, entry) for one in complete for entry in _good_files(one)},
        explained=may_be_gone,
        members=members,
    )


def _has_successor(file: str, complete: Sequence[BlockSet]) -> bool:
    """Return whether a file's whole set is gone, and a later one of its volume is complete."""
    match = NAME.fullmatch(file)
    name = match["set"] if match else file
    dated = SET.fullmatch(name)
    if not dated or any(one.name == name for one in complete):
        return False
    return any(one.stem == dated["stem"] and one.month > dated["month"] for one in complete)


def _good_files(one: BlockSet) -> list[Entry]:
    """Return the files of the versions that are complete."""
    numbers = sorted({*one.data, *one.sums})
    return [entry for number in numbers if number <= one.version for entry in one.files(number)]


def _seen(one: BlockSet, entry: Entry) -> Seen:
    """Return what to remember of a file."""
    moment = entry.modified.timestamp()
    return Seen(member=one.member, size=entry.size, born=moment, modified=moment)

"""Compares what is there with what was there: names, never totals, because retention deletes."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pytest_yakei.findings import Findings
from pytest_yakei.probes.backups.advice import with_steps
from pytest_yakei.probes.backups.moments import coarse
from pytest_yakei.probes.backups.series import Backup, format_size

SHOWN = 5
"""How many lost files of a member are named."""
EARLY = timedelta(hours=1)
"""How long before its time a file may go: cleaner and clock are not exact."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A finished file as it was seen; `born` is when it was written, in epoch seconds."""

    member: str
    size: int
    born: float
    modified: float


@dataclass(frozen=True, kw_only=True)
class Loss:
    """A file that is gone or smaller, and should not be."""

    name: str
    file: Seen
    now_size: int | None = None
    """Its size today; None when it is gone."""

    def describe(self, now: datetime) -> str:
        """Return the file, its age and its size then, and now."""
        age = coarse(now - datetime.fromtimestamp(self.file.born, now.tzinfo))
        fate = "gone" if self.now_size is None else f"now {format_size(self.now_size)}"
        return f"{self.name}: {age} old, {format_size(self.file.size)}, {fate}"


def as_seen(backup: Backup, now: datetime) -> Seen:
    """Return what to remember of a backup."""
    return Seen(
        member=backup.member,
        size=backup.size,
        born=now.timestamp() - backup.age(now),
        modified=backup.modified.timestamp(),
    )


def remembered_retention(
    memory: MutableMapping[str, Any], retention: timedelta | None
) -> timedelta | None:
    """Return the shorter of today's retention and that of the last run, and keep today's.

    What the cleaner deleted before a retention was made longer is explained by the old one.
    """
    before = memory.get("retention")
    memory["retention"] = retention.total_seconds() if retention else None
    known = [timedelta(seconds=before)] if before else []
    return min([*known, *([retention] if retention else [])], default=None)


def never_good(
    memory: MutableMapping[str, Any], bad: Mapping[str, int], there: Container[str]
) -> dict[str, int]:
    """Return the names and sizes of what never was a backup: whoever clears it away is right.

    What was one before, and was overwritten, is not among them.

    Args:
        memory: the check's document; `worthless` is kept in it, because only the newest file of a
            member is looked into.
        bad: the newest files that are no backup, with their sizes.
        there: the names of all files that are there.
    """
    known = {**memory.get("worthless", {}), **bad}
    good = memory.get("files", {})
    found = {name: size for name, size in known.items() if name in there and name not in good}
    memory["worthless"] = found
    return found


def lost_texts(
    seen: Comparison, now: datetime, retention: timedelta | None, folder: Path
) -> Findings:
    """Return one finding for each member that has lost something, and what to do."""
    rule = f"retention {coarse(retention)}" if retention else "no retention is configured"
    texts = []
    for member in sorted({loss.file.member for loss in seen.lost}):
        lost = [loss for loss in seen.lost if loss.file.member == member]
        lines = [f"  {loss.describe(now)}" for loss in lost[:SHOWN]]
        texts.append("\n".join([f"{member}: lost {len(lost)} before the time ({rule})", *lines]))
    if texts:
        texts[-1] += f"\n  since the last run: {seen}"
    steps = (
        f"what is left?         ls -ltr {folder} | tail",
        "who deletes in it?    systemctl list-timers --all; crontab -l",
        f'if it was meant so:   accepted_since = "{now.astimezone(UTC):%Y-%m-%d %H:%M}Z"',
    )
    return with_steps(texts, steps)


def due_to_go(retention: timedelta | None, now: datetime) -> Callable[[str, Seen], bool]:
    """Return the rule that explains a missing file by its age; without retention nothing does."""

    def is_due(_name: str, file: Seen) -> bool:
        if retention is None:
            return False
        return now.timestamp() - file.born >= (retention - EARLY).total_seconds()

    return is_due


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What has changed since the last look."""

    lost: Sequence[Loss] = ()
    added: int = 0
    """Bytes of new names."""
    expired: int = 0
    """Bytes of what is gone and may be."""
    is_first: bool = False

    def __str__(self) -> str:
        """Return the changes in bytes, for the log and for the details of a message."""
        unexplained = sum(loss.file.size - (loss.now_size or 0) for loss in self.lost)
        return (
            f"added {format_size(self.added)}, expired {format_size(self.expired)}, "
            f"unexplained {format_size(unexplained)}"
        )


def compare(
    memory: MutableMapping[str, Any],
    present: Mapping[str, Seen],
    *,
    explained: Callable[[str, Seen], bool],
    members: Iterable[str],
    replaceable: bool = False,
    unfinished: Iterable[str] = (),
) -> Comparison:
    """Return what has been lost since the first look, and remember what is there now.

    A loss is told until the file would have gone anyway, or is back: `memory` keeps it. What was
    renamed (same size, same time) is not lost. The first look finds nothing.

    Args:
        memory: the check's document; `files` and `lost` are kept in it.
        present: the finished files by name.
        explained: whether a file may be gone.
        members: whose files are judged; those of other members are forgotten.
        replaceable: files of the same name are written anew each time, and may be smaller.
        unfinished: names of files that are being written: there, and not judged.
    """
    before = {name: Seen(**file) for name, file in memory.get("files", {}).items()}
    writing = {name: before[name] for name in unfinished if name in before}
    gone = _gone(before, {**present, **writing})
    new = gone if replaceable else [*gone, *_smaller(before, present)]
    old = (_as_loss(item) for item in memory.get("lost", []))
    known = set(members)
    lost = [
        loss
        for loss in {loss.name: loss for loss in [*old, *new]}.values()
        if loss.file.member in known
        and not _is_back(loss, present)
        and not explained(loss.name, loss.file)
    ]
    lost.sort(key=lambda loss: loss.name)
    is_first = "files" not in memory
    memory["files"] = {name: asdict(file) for name, file in {**writing, **present}.items()}
    memory["lost"] = [asdict(loss) for loss in lost]
    return Comparison(
        lost=lost,
        added=sum(present[name].size for name in present.keys() - before.keys()),
        expired=sum(loss.file.size for loss in gone if explained(loss.name, loss.file)),
        is_first=is_first,
    )


def _gone(before: Mapping[str, Seen], present: Mapping[str, Seen]) -> list[Loss]:
    """Return the files that are not there any more, under any name."""
    same = {(file.member, file.size, file.modified) for file in present.values()}
    return [
        Loss(name=name, file=file)
        for name, file in before.items()
        if name not in present and (file.member, file.size, file.modified) not in same
    ]


def _smaller(before: Mapping[str, Seen], present: Mapping[str, Seen]) -> list[Loss]:
    """Return the files that were replaced in place by smaller ones."""
    return [
        Loss(name=name, file=file, now_size=present[name].size)
        for name, file in before.items()
        if name in present and present[name].size < file.size
    ]


def _is_back(loss: Loss, present: Mapping[str, Seen]) -> bool:
    """Return whether the file is there again in its full size."""
    return loss.name in present and present[loss.name].size >= loss.file.size


def _as_loss(item: Mapping[str, Any]) -> Loss:
    """Return a loss as the memory's document has kept it."""
    return Loss(name=item["name"], file=Seen(**item["file"]), now_size=item["now_size"])

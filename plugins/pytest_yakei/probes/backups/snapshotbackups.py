"""Answers the questions about a folder of snapshots."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_yakei.context import Context
from pytest_yakei.errors import CannotTell
from pytest_yakei.findings import Findings
from pytest_yakei.probes.backups.advice import told, with_steps
from pytest_yakei.probes.backups.listing import Folder, cannot_read, read_folder
from pytest_yakei.probes.backups.losses import compare, due_to_go, lost_texts, remembered_retention
from pytest_yakei.probes.backups.moments import (
    CLOCK_CHANGE,
    CLOCKS_DIFFER,
    ago,
    coarse,
    parse_moment,
    written,
)
from pytest_yakei.probes.backups.series import percent
from pytest_yakei.probes.backups.snapshotrules import as_seen, kept, nearly_full
from pytest_yakei.probes.backups.subvolumes import (
    Snapshot,
    count_entries,
    find_snapshots,
    is_subvolume,
)

if TYPE_CHECKING:
    from pytest_yakei.probes.backups.btrfs import Settings


class SnapshotBackups:
    """A configured folder of snapshots; each member's folder is listed once."""

    def __init__(self, context: Context[Settings]) -> None:
        """Keep what to ask."""
        self.name = context.name
        self.settings = context.settings
        self._context = context

    def late_members(self) -> Findings:
        """Return the members whose newest snapshot is too old; names to come are told as well."""
        if problem := self._root.problem:
            return with_steps([problem], [f"is it mounted?   findmnt -T {self.settings.path}"])
        late = [text for member in self.settings.members for text in self._late(member)]
        return with_steps(late, ["did the job run?    see its log"])

    def damaged_sets(self) -> Findings:
        """Return what should be a subvolume or a snapshot, and is a plain folder."""
        damaged = [text for member in self.settings.members for text in self._plain(member)]
        return with_steps(damaged, ["is it one?   btrfs subvolume show PATH"])

    def shrunk(self) -> Findings:
        """Return the members whose newest snapshot has far fewer entries than the one before.

        Raises:
            CannotTell: a folder in a snapshot cannot be read.
        """
        limit = self.settings.min_percent
        return Findings(
            f"{newest.name}: shrank to {percent(count, before)} of the entries "
            f"(limit {limit:g} %)\n  {count} entries, before it {before}; was the source mounted?"
            for newest, count, before in self._counts()
            if count < before * limit / 100
        )

    def grown(self) -> Findings:
        """Return the members whose newest snapshot has far more entries than the one before.

        Raises:
            CannotTell: a folder in a snapshot cannot be read.
        """
        limit = self.settings.max_percent
        return Findings(
            f"{newest.name}: grew to {percent(count, before)} of the entries (limit {limit:g} %)\n"
            f"  {count} entries, before it {before}"
            for newest, count, before in self._counts()
            if before and count > before * limit / 100
        )

    def losses(self) -> Findings:
        """Return the snapshots that have gone before their retention was over."""
        if self._root.problem:
            self._context.note(f"nothing to judge: {self._root.problem}")
            return Findings()
        memory, now = self._context.memory, self._context.now
        is_due = due_to_go(remembered_retention(memory, self.settings.retention), now)
        accepted = parse_moment(self.settings.accepted_since, self.settings.zone)
        since = accepted.timestamp() if accepted else 0
        seen = compare(
            memory,
            {one.name: as_seen(one) for one in self._all()},
            explained=lambda name, file: file.modified < since or is_due(name, file),
            members=self.settings.members,
        )
        if seen.is_first:
            self._context.note(f"baseline recorded: {len(self._all())} snapshots")
        return lost_texts(seen, now, self.settings.retention, self.settings.path)

    def retention_problems(self) -> Findings:
        """Return where too many, or too old, snapshots are, and a file system that fills up.

        Raises:
            CannotTell: the file system does not say how full it is, and nothing else is wrong.
        """
        if self._root.problem:
            return Findings()
        now, settings = self._context.now, self.settings
        found = [
            text
            for member in settings.members
            for text in kept(member, self._snapshots(member), settings, now)
        ]
        hidden: list[str] = []
        try:
            found += nearly_full(settings.path, settings.min_unallocated_percent)
        except CannotTell as error:
            hidden.append(str(error))
        return told(found, hidden)

    def leftovers(self) -> Findings:
        """Return the targets that have snapshots and belong to no configured member."""
        known = set(self.settings.members)
        return Findings(
            f"{member}: has backups and is not among the members\n"
            f"  nobody would notice if they stopped: add it to members"
            for member in self._found_members()
            if member not in known and self._recent(member)
        )

    def log_problems(self) -> Findings:
        """Return nothing: snapshots have no log."""
        return Findings()

    def unrestorable(self) -> Findings:
        """Return nothing: btrfs checks what it reads, and `btrfs scrub` reads everything."""
        return Findings()

    def unmergeable(self) -> Findings:
        """Return nothing: each snapshot stands for itself."""
        return Findings()

    @cached_property
    def _root(self) -> Folder:
        """Return the listing of the folder of hosts."""
        return read_folder(self.settings.path)

    def _found_members(self) -> list[str]:
        """Return all targets of all hosts that are there."""
        hosts = [entry.name for entry in self._root.entries if entry.is_folder]
        return [
            f"{host}/{entry.name}"
            for host in hosts
            for entry in self._folder(host).entries
            if entry.is_folder
        ]

    def _recent(self, member: str) -> bool:
        """Return whether the newest snapshot is as young as a member's must be."""
        snapshots = self._snapshots(member)
        return bool(snapshots) and self._context.now - snapshots[-1].taken < self.settings.max_age

    @cached_property
    def _folders(self) -> dict[str, Folder]:
        """Return the listings of the folders of members, as far as they were asked for."""
        return {}

    def _folder(self, member: str) -> Folder:
        """Return the listing of a member's folder."""
        if member not in self._folders:
            self._folders[member] = read_folder(self.settings.path / member)
        return self._folders[member]

    def _snapshots(self, member: str) -> list[Snapshot]:
        """Return the snapshots of a member, the oldest first."""
        entries = self._folder(member).entries
        return find_snapshots(member, entries, self.settings.time_format, self.settings.zone)

    def _all(self) -> list[Snapshot]:
        """Return the snapshots of all configured members."""
        return [one for member in self.settings.members for one in self._snapshots(member)]

    def _late(self, member: str) -> Iterator[str]:
        """Yield what is wrong with the time of a member's newest snapshot."""
        now, zone = self._context.now, self.settings.zone
        snapshots = self._snapshots(member)
        for snapshot in snapshots:
            # A local time may be wrong by an hour in the night that clocks are changed.
            if snapshot.taken - now > CLOCKS_DIFFER + CLOCK_CHANGE:
                yield f"{snapshot.name}: named {coarse(snapshot.taken - now)} in the future"
        past = [one for one in snapshots if one.taken - now <= CLOCKS_DIFFER + CLOCK_CHANGE]
        if not past:
            yield f"{member}: no snapshot\n  {self._folder(member).problem or 'only other names'}"
        elif now - past[-1].taken >= self.settings.max_age:
            yield (
                f"{member}: last snapshot {ago(past[-1].taken, now)} "
                f"(limit {coarse(self.settings.max_age)})\n"
                f"  {past[-1].entry.name}, {written(past[-1].taken, zone)}"
            )

    def _plain(self, member: str) -> Iterator[str]:
        """Yield what is a plain folder where btrfs should have a subvolume."""
        folder = self._folder(member)
        if folder.problem:
            return
        device = folder.path.stat().st_dev
        current = self.settings.current
        found = [entry for entry in folder.entries if entry.name == current]
        if not found:
            yield f"{member}/{current}: is missing: nothing is copied to"
        elif not is_subvolume(found[0], device):
            yield (
                f"{member}/{current}: not a subvolume: snapshots are failing silently\n"
                f"  inode {found[0].inode}, of a subvolume 256"
            )
        for snapshot in self._snapshots(member):
            if not is_subvolume(snapshot.entry, device):
                yield f"{snapshot.name}: not a snapshot but a plain folder\n  {snapshot.entry.path}"

    def _counts(self) -> Iterator[tuple[Snapshot, int, int]]:
        """Yield the newest snapshot of each member, its entries, and those of the one before."""
        known, counts = self._context.memory.get("entries", {}), {}
        accepted = parse_moment(self.settings.accepted_since, self.settings.zone)
        for member in self.settings.members:
            last = self._snapshots(member)[-2:]
            for one in last:
                counts[one.name] = known.get(one.name) or self._count(one)
            if len(last) > 1 and not (accepted and last[0].taken < accepted):
                yield last[1], counts[last[1].name], counts[last[0].name]
        self._context.memory["entries"] = counts

    def _count(self, snapshot: Snapshot) -> int:
        """Return how many entries a snapshot has; it never changes, so this is asked once."""
        try:
            return count_entries(snapshot.entry.path, self.settings.count_up_to)
        except OSError as error:
            raise CannotTell(cannot_read(snapshot.entry.path, error)) from None

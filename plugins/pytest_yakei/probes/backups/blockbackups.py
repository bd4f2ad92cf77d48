"""Answers the questions about a folder of block sets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_yakei.context import Context
from pytest_yakei.errors import CannotTell
from pytest_yakei.findings import Findings
from pytest_yakei.probes.backups import blockrules
from pytest_yakei.probes.backups.activity import is_locked
from pytest_yakei.probes.backups.advice import told, with_steps
from pytest_yakei.probes.backups.backuplog import LoggedRun, log_findings, read_last_run
from pytest_yakei.probes.backups.blocks import verify_chain, verify_version
from pytest_yakei.probes.backups.blockset import BlockSet, find_sets, structure_problems
from pytest_yakei.probes.backups.listing import Folder, cannot_read, read_folder
from pytest_yakei.probes.backups.losses import lost_texts
from pytest_yakei.probes.backups.moments import ago, parse_moment
from pytest_yakei.probes.backups.readers import Unreadable

if TYPE_CHECKING:
    from pytest_yakei.probes.backups.blockdiff import Settings


class BlockBackups:
    """A configured folder of block sets; it is listed once, when first asked about."""

    def __init__(self, context: Context[Settings]) -> None:
        """Keep what to ask."""
        self.name = context.name
        self.settings = context.settings
        self._context = context

    def late_members(self) -> Findings:
        """Return the members whose last good version is too old, or whose month has no set.

        Raises:
            CannotTell: a `.ver` cannot be read, and nobody is known to be late.
        """
        if problem := self._folder.problem:
            return with_steps([problem], [f"is it mounted?   findmnt -T {self.settings.path}"])
        late: list[str] = []
        hidden: list[str] = []
        for member in self.settings.members:
            try:
                late += [f"{text}{self._rest_of_the_run(member)}" for text in self._late(member)]
            except CannotTell as error:
                hidden.append(str(error))
        return told(late, hidden, self._steps())

    def damaged_sets(self) -> Findings:
        """Return what is missing from the newest two sets of each volume, or does not fit.

        Raises:
            CannotTell: a file cannot be read, and nothing is known to be damaged.
        """
        needed = [one for sets in self._volumes() for one in sets[-2:]]
        steps = ["until it is repaired, keep last month's set", "begin a new set: remove NAME.ver"]
        return self._ask(structure_problems, needed, steps)

    def shrunk(self) -> Findings:
        """Return the full backups that are far smaller than those of the months before."""
        since, limit = self._accepted, self.settings.min_percent
        found = [blockrules.full_too_small(sets, limit, since) for sets in self._volumes()]
        return Findings(filter(None, found))

    def grown(self) -> Findings:
        """Return the full backups and increments that are far larger than usual."""
        since, limit = self._accepted, self.settings.max_percent
        found = [
            text for sets in self._volumes() for text in blockrules.too_large_of(sets, limit, since)
        ]
        return Findings(filter(None, found))

    def losses(self) -> Findings:
        """Return versions and sets that have gone although they were needed."""
        if self._folder.problem:
            self._context.note(f"nothing to judge: {self._folder.problem}")
            return Findings()
        memory, volumes = self._context.memory, list(self._volumes())
        settings, now = self.settings, self._context.now
        rewound = blockrules.rewound(memory, volumes, self._accepted)
        seen = blockrules.compare_files(
            memory,
            volumes,
            members=settings.members,
            keep=settings.retention,
            since=self._accepted,
            now=now,
        )
        first = f"baseline recorded: {len(volumes)} volumes"
        self._context.note(first if seen.is_first else f"since the last run: {seen}")
        return Findings([*rewound, *lost_texts(seen, now, settings.retention, settings.path)])

    def retention_problems(self) -> Findings:
        """Return the volumes whose old sets are not deleted."""
        keep, cleaning, now = self.settings.retention, self.settings.cleaning, self._context.now
        found = [blockrules.too_old(sets, keep, cleaning, now) for sets in self._volumes()]
        return Findings(filter(None, found))

    def leftovers(self) -> Findings:
        """Return what died runs have left, and sets that belong to no configured member."""
        settings, now = self.settings, self._context.now
        found = [blockrules.stranger(one, settings.max_age, now) for one in self._sets]
        if is_locked(settings.lock):
            self._context.note(f"a backup is running: {settings.lock} is held")
        else:
            newest = [sets[-1] for sets in self._volumes()]
            found += [blockrules.died(one, settings.stuck_after, now) for one in newest]
        return Findings(filter(None, found))

    def log_problems(self) -> Findings:
        """Return what the log says of the last run: its code, its members, its locks.

        Raises:
            CannotTell: the log cannot be read.
        """
        settings = self.settings
        if settings.log is None:
            return Findings()
        # The lock first: a run that ends meanwhile has written its last line.
        running = is_locked(settings.lock)
        try:
            run = read_last_run(settings.log, settings.zone)
        except FileNotFoundError:
            return Findings([f"{settings.log} does not exist: has no backup run?"])
        return Findings(self._told_by(run, running=running)) if run else Findings()

    def unrestorable(self) -> Findings:
        """Return the newest versions whose data cannot be read, or are not what they were.

        Raises:
            CannotTell: a file or the program that reads it is missing, and nothing is damaged.
        """
        timeout = self.settings.verify_timeout
        return self._verify(lambda one: verify_version(one, one.version, timeout))

    def unmergeable(self) -> Findings:
        """Return the newest sets that do not add up to the volume that their last version was.

        Raises:
            CannotTell: a file or the program that reads it is missing, and nothing is damaged.
        """
        timeout = self.settings.verify_timeout
        return self._verify(lambda one: verify_chain(one, timeout))

    @cached_property
    def _folder(self) -> Folder:
        """Return the listing of the folder."""
        return read_folder(self.settings.path)

    @cached_property
    def _sets(self) -> list[BlockSet]:
        """Return all sets, those of strangers as well."""
        return find_sets(self._folder.entries, self.settings.members)

    @property
    def _accepted(self) -> datetime | None:
        """Return since when sizes and losses count."""
        return parse_moment(self.settings.accepted_since, self.settings.zone)

    def _volumes(self, member: str = "") -> Iterator[list[BlockSet]]:
        """Yield the sets of each volume, by month; of one member or of all."""
        sets = [one for one in self._sets if one.member and member in {"", one.member}]
        for stem in sorted({one.stem for one in sets}):
            yield [one for one in sets if one.stem == stem]

    def _late(self, member: str) -> Iterator[str]:
        """Yield what keeps a member from being restored to a recent time."""
        settings, volumes = self.settings, list(self._volumes(member))
        if not volumes:
            yield f"{member}: no set at all\n  in {settings.path}"
        for sets in volumes:
            title = member if len(volumes) == 1 else sets[0].stem
            yield from blockrules.late(
                title,
                sets,
                max_age=settings.max_age,
                month_deadline=settings.month_deadline,
                zone=settings.zone,
                now=self._context.now,
            )

    def _rest_of_the_run(self, member: str) -> str:
        """Return how the other members fare: the first failure ends many a backup script."""
        others = [one for one in self.settings.members if one != member]
        lines = [f"\n  {other}: {self._last(other)}" for other in others]
        return "".join(lines)

    def _steps(self) -> list[str]:
        """Return what to do about a late member: a snapshot left over stops all runs to come."""
        lock = f"setlock -nX {self.settings.lock} " if self.settings.lock else ""
        return [
            "left-over snapshot?  ssh HOST lvs    (lvm_dump should not exist)",
            "remove it only if no backup runs",
            f"re-run by hand:      {lock}BACKUP",
        ]

    def _last(self, member: str) -> str:
        """Return when a member had its last good version."""
        markers = [one.marker for sets in self._volumes(member) for one in sets if one.marker]
        if not markers:
            return "no set"
        return f"last good {ago(max(entry.modified for entry in markers), self._context.now)}"

    def _told_by(self, run: LoggedRun, *, running: bool) -> Iterator[str]:
        """Yield the problems of the last run, whether it is over or not."""
        settings = self.settings
        return log_findings(
            run,
            members=len(settings.members),
            max_locked=settings.max_locked,
            longest_run=settings.longest_run,
            running=running if settings.lock else None,
            now=self._context.now,
        )

    def _verify(self, read: Callable[[BlockSet], None]) -> Findings:
        """Return which of the newest complete sets cannot be read."""

        def problems(one: BlockSet) -> Iterable[str]:
            try:
                read(one)
            except OSError as error:
                raise CannotTell(cannot_read(self.settings.path, error)) from None
            except Unreadable as error:
                yield f"{one.name}.{one.version}: cannot be restored\n  {error}"

        complete = [[one for one in sets if one.version] for sets in self._volumes()]
        return self._ask(problems, [sets[-1] for sets in complete if sets], [])

    def _ask(
        self,
        question: Callable[[BlockSet], Iterable[str]],
        sets: Sequence[BlockSet],
        steps: Sequence[str],
    ) -> Findings:
        """Return what a question finds about the sets; what cannot be told comes last."""
        found: list[str] = []
        hidden: list[str] = []
        for one in sets:
            try:
                found += question(one)
            except CannotTell as error:
                hidden.append(str(error))
        return told(found, hidden, steps)

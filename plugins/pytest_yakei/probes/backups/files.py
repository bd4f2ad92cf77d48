"""Judges a folder in which each backup is a file, or a folder, of its own.

Both `dumps` and `directory` are such folders; they differ in how a file is given to a member.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

from pytest_yakei.context import Context
from pytest_yakei.findings import Findings
from pytest_yakei.probes.backups import retention
from pytest_yakei.probes.backups.advice import told, with_steps
from pytest_yakei.probes.backups.freshness import late
from pytest_yakei.probes.backups.leftovers import misnamed, stranger, stuck
from pytest_yakei.probes.backups.losses import (
    Seen,
    as_seen,
    compare,
    due_to_go,
    lost_texts,
    never_good,
    remembered_retention,
)
from pytest_yakei.probes.backups.rules import FileRules
from pytest_yakei.probes.backups.series import Backup, Inventory, remembered_sizes
from pytest_yakei.probes.backups.sizes import SizeRule, too_large, too_small
from pytest_yakei.probes.backups.states import Judge, Judged, State
from pytest_yakei.probes.backups.verification import verified


class FileBackups:
    """A configured folder of backups; it is listed once, when first asked about."""

    def __init__(
        self,
        context: Context[Any],
        rules: FileRules,
        look: Callable[[], Inventory],
        *,
        replaceable: bool,
    ) -> None:
        """Keep what to ask, and how; `replaceable` files are written anew under one name."""
        self.name = context.name
        self.rules = rules
        self._context = context
        self._look = look
        self._replaceable = replaceable
        self._states: dict[Backup, Judged] = {}
        self._judge = Judge(
            now=context.now,
            zone=rules.zone,
            writing=rules.writing,
            stuck_after=rules.stuck_after,
            lock=rules.lock,
        )

    def late_members(self) -> Findings:
        """Return the members without a good backup that is young enough, and times to come.

        Raises:
            CannotTell: the newest backup of a member cannot be read.
        """
        where = self.rules.path
        if problem := self._inventory.problem:
            return with_steps([problem], [f"is it mounted?      findmnt -T {where}"])
        hidden: list[str] = []
        found = [text for name in self.rules.members for text in self._late(name, hidden)]
        steps = [
            f"what is there?      ls -ltr {where} | tail",
            "did the job run?    systemctl list-timers --all; crontab -l",
        ]
        return told(found, hidden, steps)

    def damaged_sets(self) -> Findings:
        """Return the newest backups that are empty, or that begin like something else.

        Raises:
            CannotTell: one cannot be read, and nothing else is wrong.
        """
        newest = self._newest()
        broken = [item for item in newest if item.state is State.BROKEN]
        hidden = [item.why for item in newest if item.state is State.UNREADABLE]
        texts = [f"{item.backup.name}: {item.why}\n  {item.backup.path}" for item in broken]
        return told(texts, hidden, ["is the disk full?   df -h", "run the export by hand"])

    def shrunk(self) -> Findings:
        """Return the newest backups that are far smaller than the usual one of their member."""
        return self._sizes(too_small, self.rules.min_percent)

    def grown(self) -> Findings:
        """Return the newest backups that are far larger than the usual one of their member."""
        return self._sizes(too_large, self.rules.max_percent)

    def losses(self) -> Findings:
        """Return what has gone, or was replaced by less, before its retention was over."""
        if self._nothing_to_judge():
            return Findings()
        quiet, unfinished = self._seen()
        seen = compare(
            self._context.memory,
            quiet,
            explained=self._may_be_gone(),
            members=self.rules.members,
            replaceable=self._replaceable,
            unfinished=unfinished,
        )
        first = f"baseline recorded: {len(quiet)} backups"
        self._context.note(first if seen.is_first else f"since the last run: {seen}")
        return lost_texts(seen, self._context.now, self.rules.retention, self.rules.path)

    def retention_problems(self) -> Findings:
        """Return the members whose old backups are not deleted, or are deleted too early."""
        rules, context = self.rules, self._context
        problems = []
        for backups in self._inventory.members.values():
            whole = [backup for backup in backups if not backup.is_partial]
            problems.append(retention.too_old(whole, rules, context.now))
            problems.append(retention.too_few(context.memory, whole, rules, context.now))
        return Findings(filter(None, problems))

    def leftovers(self) -> Findings:
        """Return exports that are stuck or died, members nobody has configured, false names."""
        rules, now = self.rules, self._context.now
        found = [stuck(item, rules, now) for item in self._suspects()]
        found += [stranger(name, series, rules, now) for name, series in self._strangers()]
        found += [misnamed(item.backup, rules) for item in self._newest()]
        return Findings(filter(None, found))

    def log_problems(self) -> Findings:
        """Return nothing: a folder of files has no log."""
        return Findings()

    def unrestorable(self) -> Findings:
        """Return the newest backups that cannot be read to their end.

        Raises:
            CannotTell: the program that reads one is not installed, or is too old.
        """
        return verified([item.backup for item in self._newest()], self.rules.verify_timeout)

    def unmergeable(self) -> Findings:
        """Return nothing: each file stands for itself."""
        return Findings()

    @cached_property
    def _inventory(self) -> Inventory:
        """Return what is in the folder."""
        return self._look()

    def _nothing_to_judge(self) -> bool:
        """Return whether the folder is missing or empty: `late_members` tells, one is enough."""
        if self._inventory.problem:
            self._context.note(f"nothing to judge: {self._inventory.problem}")
        return bool(self._inventory.problem)

    def _late(self, member: str, hidden: list[str]) -> Iterator[str]:
        """Yield what keeps a member from being restored to a recent time."""
        judged = self._newest_first(self._inventory.members.get(member, ()))
        now, replaceable = self._context.now, self._replaceable
        return late(member, judged, hidden, self.rules, now, replaceable=replaceable)

    def _newest_first(self, backups: Sequence[Backup]) -> Iterator[Judged]:
        """Yield the backups of one member, judged, from the newest on."""
        for backup in reversed(backups):
            yield self._judged(backup)

    def _judged(self, backup: Backup) -> Judged:
        """Return the state of a backup, which is found out once."""
        if backup not in self._states:
            peers = self._inventory.peers(backup)
            self._states[backup] = judged = self._judge.judge(backup, peers)
            if judged.state is State.WRITING:
                self._context.note(f"{backup.name} is not judged: {judged.why}")
        return self._states[backup]

    def _newest(self) -> list[Judged]:
        """Return the newest finished backup of each series; none while the folder has none."""
        self._nothing_to_judge()
        newest = (self._newest_of(series) for series in self._inventory.series())
        return [judged for judged in newest if judged]

    def _newest_of(self, series: Sequence[Backup]) -> Judged | None:
        """Return the newest finished backup of a series."""
        return next((item for item in self._newest_first(series) if item.is_finished), None)

    def _suspects(self) -> list[Judged]:
        """Return what may be stuck: the newest of each series, and what is named unfinished."""
        chosen = [
            backup
            for series in self._inventory.series()
            for backup in series
            if backup.is_partial or backup is series[-1]
        ]
        return [self._judged(backup) for backup in chosen]

    def _strangers(self) -> list[tuple[str, Sequence[Backup]]]:
        """Return the members that nobody has configured."""
        self._nothing_to_judge()
        return sorted(self._inventory.strangers.items())

    def _sizes(self, rule: SizeRule, limit: float) -> Findings:
        """Return what the rule says about the newest finished backup of each series."""
        since, found = self.rules.accepted, []
        for series in self._inventory.series():
            newest = self._newest_of(series)
            if newest and newest.backup.size > 0:
                finished = series[: series.index(newest.backup) + 1]
                history = remembered_sizes(self._context.memory, finished)
                found.append(rule(newest.backup.member, history, limit, since))
        steps = [
            f"is the disk full?   df -h {self.rules.path}",
            "did the job end well? see its log",
        ]
        return with_steps([text for text in found if text], steps)

    def _seen(self) -> tuple[dict[str, Seen], list[str]]:
        """Return the finished backups by name, and the names of those that are being written."""
        now, quiet, unfinished = self._context.now, {}, []
        there = {self._name(one): one for series in self._inventory.series() for one in series}
        bad = [item for item in self._newest() if item.state in {State.BROKEN, State.CUT_SHORT}]
        sizes = {self._name(item.backup): item.backup.size for item in bad}
        worthless = never_good(self._context.memory, sizes, there)
        for name, backup in there.items():
            if backup.is_partial or now - backup.modified < self.rules.writing:
                unfinished.append(name)
            elif worthless.get(name) != backup.size:
                quiet[name] = as_seen(backup, now)
        return quiet, unfinished

    def _name(self, backup: Backup) -> str:
        """Return how a backup is remembered: its path within the folder."""
        return str(backup.path.relative_to(self.rules.path))

    def _may_be_gone(self) -> Callable[[str, Seen], bool]:
        """Return the rule that explains a missing backup: retention, or the user's word."""
        kept = remembered_retention(self._context.memory, self.rules.retention)
        is_due, accepted = due_to_go(kept, self._context.now), self.rules.accepted
        since = accepted.timestamp() if accepted else 0
        return lambda name, file: file.modified < since or is_due(name, file)

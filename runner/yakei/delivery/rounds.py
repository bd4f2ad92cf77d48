"""One delivery under way: what waited, what was tried, and what follows from both."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from yakei.delivery.memory import Memory
from yakei.message import Message, Queued
from yakei.notifiers import DeliveryError, Notifier, Showing
from yakei.notifiers.attempts import BUDGET, Attempt, Waiting, try_once
from yakei.notifiers.catching_up import as_of, opened_with
from yakei.notifiers.reports import DeliveryReport, Failure
from yakei.results import Severity
from yakei.words import SUBJECT_LENGTH, clock, cut

if TYPE_CHECKING:
    from yakei.incidents.remembered import Incident

REPEAT_TROUBLE = timedelta(hours=24)
"""How often people hear that the same channel still fails."""


@dataclass
class Round:
    """One delivery under way: what waited, what was tried, and what follows from both."""

    notifiers: Sequence[Notifier]
    waiting: Waiting
    memory: Memory
    now: datetime
    resting: Waiting = field(default_factory=dict)
    """What waits for channels that are configured and cannot be used now."""
    redact: Callable[[str], str] = str
    """Takes secrets out of what a channel says of its failure, as a program's own words."""
    tried: list[Attempt] = field(default_factory=list)

    def ready(self) -> list[Notifier]:
        """Return the channels that may be tried: those that have not asked us to wait."""
        return [one for one in self.notifiers if one.name not in self.memory.waits]

    def take_in(self, attempt: Attempt) -> Attempt:
        """Remember what became of an attempt; return it as it may be told."""
        if attempt.error:
            attempt = replace(attempt, error=attempt.error.redacted(self.redact))
        self.tried.append(attempt)
        if attempt.memory is not None:
            self.memory.conversations[attempt.notifier] = attempt.memory
        if attempt.error and attempt.error.retry_after is not None and not attempt.taken:
            self.memory.ask_to_wait(attempt.notifier, attempt.error.retry_after, self.now)
        return attempt

    def send_elsewhere(self) -> None:
        """Send what no channel took through one that it was not meant for."""
        ends = time.monotonic() + BUDGET.total_seconds()
        for copies in self._untaken():
            meant_for = {name for name, _ in copies}
            row = copies[0][1]
            message = opened_with(self._why_here(meant_for), as_of(self.now, row))
            others = (one for one in self._working() if one.name not in meant_for)
            if any(self._take(notifier, row, message) for notifier in others):
                self.memory.told |= dict.fromkeys(meant_for, self.now)
            if time.monotonic() > ends:
                break

    def settled(self, names: Iterable[str]) -> list[int]:
        """Return the rows of channels that are gone whose message people have, by another one."""
        untaken = {row.id for copies in self._untaken() for _, row in copies}
        return [row.id for name in names for row in self.waiting[name] if row.id not in untaken]

    def tell_of_failures(self, host: str) -> None:
        """Say through a channel that works which one has begun to fail, or still does."""
        for failure in self._failures():
            told = self.memory.told.get(failure.notifier)
            if told and self.now - told < REPEAT_TROUBLE:
                continue
            message = _about(failure, self._run_id(), self.now, host)
            row = Queued(0, message, self.now)
            if any(self._take(notifier, row, message) for notifier in self._working()):
                self.memory.told[failure.notifier] = self.now

    def show(self, incidents: Sequence[Incident]) -> None:
        """Let channels that can do so show how things stand now in what they said earlier."""
        failing = self._failing()
        for notifier in self.ready():
            known = self.memory.conversations.get(notifier.name)
            if known and notifier.name not in failing and isinstance(notifier, Showing):
                memory = deepcopy(known)
                try:
                    notifier.show(incidents, self.now, memory)
                except Exception as error:  # noqa: BLE001 - a bug there keeps nobody from hearing
                    failed = f"could not show how things stand: {type(error).__name__}"
                    self.take_in(Attempt(notifier.name, (), DeliveryError(failed)))
                    continue
                self.memory.conversations[notifier.name] = memory

    def forget(self) -> None:
        """Forget what is over."""
        untaken = {row.id for copies in self._untaken() for _, row in copies}
        waiting = {row.id for rows in self.waiting.values() for row in rows}
        resting = {row.id for rows in self.resting.values() for row in rows}
        self.memory.taken = (waiting - untaken) | (self.memory.taken & resting)
        for healed in {attempt.notifier for attempt in self.tried} - self._failing().keys():
            self.memory.told.pop(healed, None)
        self.memory.keep_only([*(notifier.name for notifier in self.notifiers), *self.resting])

    def report(self) -> DeliveryReport:
        """Return what became of what waited."""
        rows = [row for rows in self.waiting.values() for row in rows]
        last = max((row.created for row in rows), default=None)
        newest = {_identity(row.message) for row in rows if row.created == last}
        takers = [
            one
            for one in self.tried
            if one.taken and any(_identity(row.message) in newest for row in one.rows)
        ]
        return DeliveryReport(
            taken_by=tuple(dict.fromkeys(one.notifier for one in takers)),
            failures=tuple(self._failures()),
            untaken=tuple(copies[0][1].message for copies in self._untaken()),
        )

    def _why_here(self, meant_for: AbstractSet[str]) -> str:
        failing = self._failing().items()
        reasons = [f"{name} failed: {error}" for name, error in failing if name in meant_for]
        gone = sorted(meant_for - {notifier.name for notifier in self.notifiers})
        reasons += [f"{name} is not configured any more" for name in gone]
        busy = f"{', '.join(sorted(meant_for))} has too much to do"
        return f"Sent here because {', '.join(reasons) or busy}."

    def _take(self, notifier: Notifier, row: Queued, message: Message) -> bool:
        self.take_in(Attempt(notifier.name, (row,), try_once(notifier, message)))
        return self.tried[-1].taken

    def _failing(self) -> dict[str, DeliveryError]:
        """Return the channels that met an error, with the last of them, in their order.

        So does one that something waits for, and that does not want to be tried yet.
        """
        errors = {
            name: DeliveryError(f"asked us to wait until {clock(until, self.now, None)}")
            for name, until in self.memory.waits.items()
            if self.waiting.get(name)
        }
        errors |= {attempt.notifier: attempt.error for attempt in self.tried if attempt.error}
        names = [notifier.name for notifier in self.notifiers]
        return {name: errors[name] for name in names if name in errors}

    def _failures(self) -> list[Failure]:
        taken = {
            (attempt.notifier, row.id)
            for attempt in self.tried
            if attempt.taken
            for row in attempt.rows
        }
        return [
            Failure(
                notifier=name,
                error=error,
                waiting=sum((name, row.id) not in taken for row in self.waiting[name]),
            )
            for name, error in self._failing().items()
        ]

    def _working(self) -> list[Notifier]:
        """Return the channels to turn to: those that have just delivered, then the untried."""
        last = {attempt.notifier: attempt.taken for attempt in self.tried}
        usable = [notifier for notifier in self.ready() if last.get(notifier.name, True)]
        return sorted(usable, key=lambda notifier: notifier.name not in last)

    def _untaken(self) -> list[list[tuple[str, Queued]]]:
        """Return the messages that no channel has taken, oldest first, as their waiting copies."""
        taken = {
            _identity(row.message)
            for attempt in self.tried
            if attempt.taken
            for row in attempt.rows
        }
        copies: dict[tuple[object, ...], list[tuple[str, Queued]]] = {}
        for name, rows in self.waiting.items():
            for row in rows:
                if row.id not in self.memory.taken and _identity(row.message) not in taken:
                    copies.setdefault(_identity(row.message), []).append((name, row))
        return sorted(copies.values(), key=lambda same: same[0][1].created)

    def _run_id(self) -> str:
        """Return the run that the newest waiting message is of."""
        rows = (row for rows in self.waiting.values() for row in rows)
        return max(rows, key=lambda row: row.created).message.run_id


def _identity(message: Message) -> tuple[object, ...]:
    """Return what two channels' copies of one message have in common."""
    return (message.run_id, message.created, message.subject, message.body)


def _about(failure: Failure, run_id: str, now: datetime, host: str) -> Message:
    """Return the message that one channel failed, to be sent through another."""
    where = f"[WARN] {host} yakei" if host else "yakei"
    hope = (
        "It was refused for good: something has to be changed before the next try can succeed."
        if failure.error.permanent
        else "What is waiting is tried again in every run."
    )
    return Message(
        subject=cut(f"{where}: {failure}", SUBJECT_LENGTH),
        body=f"{failure}.\n\n{hope}\n\nDo        1. yakei doctor --send     tries every channel\n",
        severity=Severity.WARNING,
        run_id=run_id,
        created=now,
        host=host,
    )

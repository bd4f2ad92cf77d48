"""Delivers what is due: every channel at once, at least once, and never silently in vain."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, Self

from yakei.message import Message
from yakei.notifiers import DeliveryError, Notifier
from yakei.notifiers.attempts import (
    BUDGET,
    Attempt,
    Row,
    Waiting,
    as_of,
    attempts,
    opened_with,
    try_once,
)
from yakei.notifiers.reports import DeliveryReport, Failure
from yakei.results import Severity
from yakei.words import cut

__all__ = ["DeliveryReport", "Failure", "Outbox", "deliver", "direct"]

REPEAT_TROUBLE = timedelta(hours=24)
"""How often people hear that the same channel still fails."""
_SUBJECT = 78
"""Characters of a subject that mail programs show whole (RFC 5322, 2.1.1)."""


class Outbox(Protocol):
    """What is asked of the store; only the thread that calls `deliver` uses it."""

    def pending(self, notifier: str, /) -> Sequence[Row]:
        """Return what waits for a channel, oldest first."""
        ...

    def mark_delivered(self, row: int, at: datetime, /) -> None:
        """Keep that the channel has taken a message."""
        ...

    def mark_failed(self, row: int, error: str, /) -> None:
        """Keep that the channel was tried in vain; the message goes on waiting."""
        ...

    def delivery_memory(self) -> Mapping[str, Any]:
        """Return the JSON document that was last kept, `{}` at first."""
        ...

    def keep_delivery_memory(self, memory: Mapping[str, Any], /) -> None:
        """Keep a small JSON document for the next run's delivery."""
        ...


def deliver(
    outbox: Outbox, notifiers: Sequence[Notifier], now: datetime, *, host: str = ""
) -> DeliveryReport:
    """Try everything that waits, mark what was taken, and return what became of it.

    The channels work at the same time, each through its own messages, oldest first, until one
    fails. A message that no channel took goes through another channel that works, and a channel
    that has begun to fail is reported through one that works. What was not taken goes on waiting;
    a crash in between repeats a message and loses none.

    Args:
        outbox: the store.
        notifiers: the configured channels; nothing waits when there are none (see `direct`).
        now: the time to judge lateness by, and to mark with.
        host: named in the subject of a message about a failing channel.
    """
    waiting = {notifier.name: outbox.pending(notifier.name) for notifier in notifiers}
    work = _Round(notifiers, waiting, _Memory.read(outbox.delivery_memory()), now)
    for attempt in attempts(notifiers, waiting, now):
        if attempt.taken:
            outbox.mark_delivered(attempt.row[0], now)
        else:
            outbox.mark_failed(attempt.row[0], str(attempt.error))
        work.tried.append(attempt)
    work.send_elsewhere()
    work.tell_of_failures(host)
    outbox.keep_delivery_memory(work.remembered())
    return work.report()


def direct(notifiers: Sequence[Notifier], message: Message) -> DeliveryReport:
    """Send one message through every channel at once, for when no state can be used.

    Nothing is kept, so nothing is tried again later.
    """
    row = (0, message, message.created, 0)
    waiting = {notifier.name: [row] for notifier in notifiers}
    work = _Round(notifiers, waiting, _Memory(), message.created)
    work.tried.extend(attempts(notifiers, waiting, message.created))
    return work.report() if notifiers else DeliveryReport(untaken=(message,))


@dataclass
class _Memory:
    """What the next run has to know about the deliveries before it."""

    told: dict[str, datetime] = field(default_factory=dict)
    """When people last heard that a channel fails; a channel that works is not in it."""
    taken: set[int] = field(default_factory=set)
    """Waiting rows whose message has reached people through another channel."""

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        told = {name: datetime.fromisoformat(at) for name, at in document.get("told", {}).items()}
        return cls(told, set(document.get("taken", ())))


@dataclass
class _Round:
    """One delivery under way: what waited, what was tried, and what follows from both."""

    notifiers: Sequence[Notifier]
    waiting: Waiting
    memory: _Memory
    now: datetime
    tried: list[Attempt] = field(default_factory=list)

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

    def tell_of_failures(self, host: str) -> None:
        """Say through a channel that works which one has begun to fail, or still does."""
        for failure in self._failures():
            told = self.memory.told.get(failure.notifier)
            if told and self.now - told < REPEAT_TROUBLE:
                continue
            message = _about(failure, self.tried[0].row[1].run_id, self.now, host)
            row = (0, message, self.now, 0)
            if any(self._take(notifier, row, message) for notifier in self._working()):
                self.memory.told[failure.notifier] = self.now

    def remembered(self) -> dict[str, Any]:
        """Return the memory for the next run, without what is over."""
        untaken = {row[0] for copies in self._untaken() for _, row in copies}
        waiting = {row[0] for rows in self.waiting.values() for row in rows}
        healed = {attempt.notifier for attempt in self.tried} - self._failing().keys()
        told = {name: at for name, at in self.memory.told.items() if name not in healed}
        return {
            "told": {name: at.isoformat() for name, at in told.items()},
            "taken": sorted(waiting - untaken),
        }

    def report(self) -> DeliveryReport:
        """Return what became of what waited."""
        rows = [row for rows in self.waiting.values() for row in rows]
        last = max((created for _, _, created, _ in rows), default=None)
        newest = {_identity(row[1]) for row in rows if row[2] == last}
        takers = [one for one in self.tried if one.taken and _identity(one.row[1]) in newest]
        return DeliveryReport(
            taken_by=tuple(dict.fromkeys(one.notifier for one in takers)),
            failures=tuple(self._failures()),
            untaken=tuple(copies[0][1][1] for copies in self._untaken()),
        )

    def _why_here(self, meant_for: AbstractSet[str]) -> str:
        failing = self._failing().items()
        reasons = [f"{name} failed: {error}" for name, error in failing if name in meant_for]
        busy = f"{', '.join(sorted(meant_for))} has too much to do"
        return f"Sent here because {', '.join(reasons) or busy}."

    def _take(self, notifier: Notifier, row: Row, message: Message) -> bool:
        self.tried.append(Attempt(notifier.name, row, try_once(notifier, message)))
        return self.tried[-1].taken

    def _failing(self) -> dict[str, DeliveryError]:
        """Return the channels that met an error, with the last of them, in their order."""
        errors = {attempt.notifier: attempt.error for attempt in self.tried if attempt.error}
        names = [notifier.name for notifier in self.notifiers]
        return {name: errors[name] for name in names if name in errors}

    def _failures(self) -> list[Failure]:
        taken = {(attempt.notifier, attempt.row[0]) for attempt in self.tried if attempt.taken}
        return [
            Failure(
                notifier=name,
                error=error,
                waiting=sum((name, row[0]) not in taken for row in self.waiting[name]),
            )
            for name, error in self._failing().items()
        ]

    def _working(self) -> list[Notifier]:
        """Return the channels to turn to: those that have just delivered, then the untried."""
        last = {attempt.notifier: attempt.taken for attempt in self.tried}
        usable = [notifier for notifier in self.notifiers if last.get(notifier.name, True)]
        return sorted(usable, key=lambda notifier: notifier.name not in last)

    def _untaken(self) -> list[list[tuple[str, Row]]]:
        """Return the messages that no channel has taken, oldest first, as their waiting copies."""
        taken = {_identity(attempt.row[1]) for attempt in self.tried if attempt.taken}
        copies: dict[tuple[object, ...], list[tuple[str, Row]]] = {}
        for name, rows in self.waiting.items():
            for row in rows:
                if row[0] not in self.memory.taken and _identity(row[1]) not in taken:
                    copies.setdefault(_identity(row[1]), []).append((name, row))
        return sorted(copies.values(), key=lambda same: same[0][1][2])


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
        subject=cut(f"{where}: {failure}", _SUBJECT),
        body=f"{failure}.\n\n{hope}\n\nDo        1. yakei doctor --send     tries every channel\n",
        severity=Severity.WARNING,
        run_id=run_id,
        created=now,
    )

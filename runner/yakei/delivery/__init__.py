"""Delivers what is due: every channel at once, at least once, and never silently in vain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from yakei.delivery.memory import Memory
from yakei.delivery.rounds import Round
from yakei.message import Message, Queued
from yakei.notifiers import Notifier
from yakei.notifiers.attempts import attempts
from yakei.notifiers.reports import DeliveryReport, Failure

if TYPE_CHECKING:
    from yakei.incidents.remembered import Incident

__all__ = ["DeliveryReport", "Failure", "Outbox", "deliver", "direct"]


class Outbox(Protocol):
    """What is asked of the store; only the thread that calls `deliver` uses it."""

    def pending(self, notifier: str, /) -> Sequence[Queued]:
        """Return what waits for a channel, oldest first."""
        ...

    def waited_for(self) -> Sequence[str]:
        """Return the names of the channels that anything waits for, configured or not."""
        ...

    def mark_delivered(
        self, rows: Sequence[int], at: datetime, memory: Mapping[str, Any] | None = None, /
    ) -> None:
        """Keep in one step that a channel has taken messages, and the memory if there is one."""
        ...

    def mark_failed(
        self, rows: Sequence[int], error: str, memory: Mapping[str, Any] | None = None, /
    ) -> None:
        """Keep in one step that a channel was tried in vain, and the memory if there is one.

        The messages go on waiting.
        """
        ...

    def delivery_memory(self) -> Mapping[str, Any]:
        """Return the JSON document that was last kept, `{}` at first."""
        ...

    def keep_delivery_memory(self, memory: Mapping[str, Any], /) -> None:
        """Keep a JSON document for the next run's delivery."""
        ...


def deliver(
    outbox: Outbox,
    notifiers: Sequence[Notifier],
    now: datetime,
    *,
    configured: Iterable[str] = (),
    host: str = "",
    incidents: Iterable[Incident] | None = None,
    redact: Callable[[str], str] = str,
) -> DeliveryReport:
    """Try everything that waits, mark what was taken, and return what became of it.

    The channels work at the same time, each through its own messages, oldest first, until one
    fails. A message that no channel took goes through another channel that works, and a channel
    that has begun to fail is reported through one that works. What was not taken goes on waiting,
    unless its channel is not configured any more: then it is settled when another one has it. A
    crash in between repeats a message and loses none. A channel that has asked us to wait is not
    tried before that time.

    Args:
        outbox: the store.
        notifiers: the channels; nothing waits when there are none (see `direct`).
        now: the time to judge lateness by, and to mark with.
        configured: the names of those, too, that cannot be used now: what waits for them waits on.
        host: named in the subject of a message about a failing channel.
        incidents: the open ones, for channels that show how things stand; None: not known.
        redact: takes secrets out of what channels say of their failures.
    """
    names = dict.fromkeys(notifier.name for notifier in notifiers)
    expected = {*names, *configured}
    gone = [name for name in outbox.waited_for() if name not in expected] if names else []
    waiting = {name: outbox.pending(name) for name in (*names, *gone)}
    resting = {name: outbox.pending(name) for name in sorted(expected - names.keys())}
    known = outbox.delivery_memory()
    work = Round(notifiers, waiting, Memory.read(known, now), now, resting, redact)
    for made in attempts(work.ready(), waiting, now, work.memory.conversations):
        attempt = work.take_in(made)
        rows = [row.id for row in attempt.rows]
        memory = None if attempt.memory is None else work.memory.document()
        if attempt.taken:
            outbox.mark_delivered(rows, now, memory)
        else:
            outbox.mark_failed(rows, str(attempt.error), memory)
    work.send_elsewhere()
    if settled := work.settled(gone):
        outbox.mark_delivered(settled, now)
    if incidents is not None:
        work.show(tuple(incidents))
    work.tell_of_failures(host)
    work.forget()
    if work.memory.document() != known:
        outbox.keep_delivery_memory(work.memory.document())
    return work.report()


def direct(
    notifiers: Sequence[Notifier], message: Message, redact: Callable[[str], str] = str
) -> DeliveryReport:
    """Send one message through every channel at once, for when no state can be used.

    Nothing is kept, so nothing is tried again later.
    """
    row = Queued(0, message, message.created)
    waiting = {notifier.name: [row] for notifier in notifiers}
    work = Round(notifiers, waiting, Memory(), message.created, redact=redact)
    for attempt in attempts(notifiers, waiting, message.created, {}):
        work.take_in(attempt)
    return work.report() if notifiers else DeliveryReport(untaken=(message,))

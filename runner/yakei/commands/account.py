"""What is known of one incident: who was told, who knows, who wants quiet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any

from yakei.commands.layout import Paper
from yakei.incidents.remembered import Acknowledgement, Incident, Silence, State
from yakei.patterns import matches
from yakei.results import Severity
from yakei.store.past import Delivery, PastIncident
from yakei.store.viewing import View
from yakei.words import clock, counted, cut, how_long, number, one_line, short_clock

_ROOM = 200
"""Characters of a channel's last error."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """One incident with all that people said and were told of it."""

    past: PastIncident
    deliveries: tuple[Delivery, ...]
    silence: Silence | None
    acknowledged: Acknowledgement | None

    @property
    def incident(self) -> Incident:
        """The incident as it was seen last."""
        return self.past.incident

    @property
    def rank(self) -> tuple[bool, datetime]:
        """What sorts the worst and oldest first."""
        return self.incident.severity is not Severity.CRITICAL, self.past.opened

    def lines(self, paper: Paper, now: datetime) -> list[str]:
        """Return what people read."""
        incident = self.incident
        head = f"{one_line(incident.label)}: {one_line(incident.fact)}"
        return paper.block(incident.severity, head, self._rest(now))

    def document(self) -> dict[str, Any]:
        """Return what programs read."""
        incident, worst = self.incident, self.incident.worst
        return {
            "id": incident.id,
            "key": incident.key,
            "label": incident.label,
            "fact": incident.fact,
            "severity": incident.severity,
            "outcome": incident.outcome,
            "opened": self.past.opened.isoformat(),
            "last_failure": incident.last_failure.isoformat(),
            "closed": _iso(self.past.closed),
            "ending": self.past.ending or None,
            "runs": incident.runs,
            "owners": list(incident.owners),
            "checks": list(incident.checks),
            "cause": incident.cause or None,
            "known_issue": incident.muted,
            "quiet": incident.quiet or None,
            "silence": silence_document(self.silence) if self.silence else None,
            "acknowledged": _acknowledgement(self.acknowledged) if self.acknowledged else None,
            "measure": incident.measure or None,
            "value": incident.value,
            "worst": {"value": worst.value, "at": worst.at.isoformat()} if worst else None,
            "deliveries": [_delivery(each) for each in self.deliveries],
        }

    def _rest(self, now: datetime) -> Iterator[str]:
        yield f"{self.incident.id}, {self._when(now)}"
        if self.incident.cause:
            yield f"because of {self.incident.cause}"
        if said := self.acknowledged:
            at = short_clock(said.at, now, None)
            yield f"acknowledged by {one_line(said.by)} {at}: {one_line(said.reason)}"
        if self.incident.muted:
            yield "known issue: nobody is told"
        elif self.silence:
            yield f"silenced {_until(self.silence, now)}"
        elif self.incident.quiet and not self.past.closed:
            yield one_line(self.incident.quiet)
        yield from self._told(now)

    def _when(self, now: datetime) -> str:
        opened, closed = self.past.opened, self.past.closed
        runs = counted(self.incident.runs, "run")
        worst = self.incident.worst
        peak = (
            f", worst {number(worst.value)} at {short_clock(worst.at, now, None)}" if worst else ""
        )
        if closed is None:
            return f"since {clock(opened, now, None)} ({_lasted(now - opened)}), {runs}{peak}"
        lasted = f"{short_clock(opened, now, None)} to {clock(closed, now, None)}"
        return f"{lasted} ({_lasted(closed - opened)}), {runs}: {self.past.ending}{peak}"

    def _told(self, now: datetime) -> Iterator[str]:
        by_channel = sorted(self.deliveries, key=attrgetter("notifier"))
        for notifier, found in groupby(by_channel, key=attrgetter("notifier")):
            yield _through(notifier, list(found), now)
        if not self.deliveries and not self.incident.told_at and not self.past.closed:
            yield "nobody was told yet"


def accounts(view: View, since: datetime | None, state: State, now: datetime) -> list[Account]:
    """Return what is known of each incident that is open or was since a time, oldest first."""
    said = {**view.acknowledgements(), **{each.incident: each for each in state.acknowledgements}}
    found = []
    for past in view.incidents(since):
        hushed = (each for each in state.silences if not past.closed and each.until > now)
        matching = [each for each in hushed if matches(each.pattern, [past.incident.key])]
        account = Account(
            past=past,
            deliveries=view.deliveries(past),
            silence=max(matching, key=attrgetter("until"), default=None),
            acknowledged=said.get(past.incident.id),
        )
        found.append(account)
    return found


def silence_document(silence: Silence) -> dict[str, Any]:
    """Return a silence as programs read it."""
    return {
        "id": silence.id,
        "pattern": silence.pattern,
        "until": silence.until.isoformat(),
        "reason": silence.reason,
        "by": silence.by,
        "at": silence.at.isoformat(),
    }


def silence_line(silence: Silence, now: datetime) -> str:
    """Return a silence as people read it."""
    return f"{silence.id}  {one_line(silence.pattern)} {_until(silence, now)}"


def _lasted(duration: timedelta) -> str:
    """Return how long something lasted; a clock that was set back makes it no less than nothing."""
    return how_long(max(duration, timedelta()))


def _until(silence: Silence, now: datetime) -> str:
    end = clock(silence.until, now, None)
    return f"until {end} by {one_line(silence.by)}: {one_line(silence.reason)}"


def short_error(error: str) -> str:
    """Return a channel's last error as the end of a line; empty when there was none."""
    return f": {cut(one_line(error), _ROOM)}" if error else ""


def _through(notifier: str, sent: Sequence[Delivery], now: datetime) -> str:
    """Return what one channel was given, and what it has not taken."""
    taken = [
        f"{short_clock(each.delivered, now, None)}{f' ({each.reason})' if each.reason else ''}"
        for each in sent
        if each.delivered
    ]
    waits = [each for each in sent if not each.delivered and not each.superseded]
    if not waits:
        untold = f"{notifier} was not told: a later message stands for it"
        return f"told {notifier} {', '.join(taken)}" if taken else untold
    tries = counted(waits[-1].attempts, "attempt") if waits[-1].attempts else "not tried yet"
    since = short_clock(waits[0].created, now, None)
    lacks = f"waits since {since}, {tries}{short_error(waits[-1].error)}"
    return f"told {notifier} {', '.join(taken)}; {lacks}" if taken else f"{notifier} {lacks}"


def _acknowledgement(said: Acknowledgement) -> dict[str, Any]:
    return {"by": said.by, "reason": said.reason, "at": said.at.isoformat()}


def _delivery(sent: Delivery) -> dict[str, Any]:
    return {
        "notifier": sent.notifier,
        "reason": sent.reason or None,
        "created": sent.created.isoformat(),
        "attempts": sent.attempts,
        "tried": _iso(sent.tried),
        "delivered": _iso(sent.delivered),
        "superseded": _iso(sent.superseded),
        "error": sent.error or None,
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None

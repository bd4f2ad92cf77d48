"""What the state tells of the past: rows of its tables, as people may ask for them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from yakei.incidents.remembered import Incident
from yakei.results import Measure
from yakei.store.reading import document_as, moment


@dataclass(frozen=True, kw_only=True)
class PastIncident:
    """An incident, open or over."""

    incident: Incident
    opened: datetime
    closed: datetime | None
    ending: str
    """recovered or removed; empty while it is open."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What became of a message through one channel."""

    notifier: str
    reason: str
    """Why the incident was told; empty when that was not kept."""
    created: datetime
    attempts: int
    tried: datetime | None
    """The last time."""
    delivered: datetime | None
    superseded: datetime | None
    """When a later message told of the same and more."""
    error: str
    """The last one; empty when there was none."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What one channel has not taken."""

    notifier: str
    messages: int
    since: datetime
    attempts: int
    tried: datetime | None
    error: str


@dataclass(frozen=True, kw_only=True)
class PastOutcome:
    """What a check did in one run."""

    at: datetime
    outcome: str
    severity: str
    fact: str
    duration: float
    """Seconds."""


@dataclass(frozen=True, kw_only=True)
class PastMeasure:
    """What a check measured in one run."""

    at: datetime
    measure: Measure


def past_incident(row: Any) -> PastIncident:
    """Return the incident of a row: name, document, opened, closed, ending."""
    name, document, opened, closed, ending = row
    incident = document_as(Incident, document)
    return PastIncident(
        incident=replace(incident, id=incident.id or name),
        opened=moment(opened),
        closed=_maybe(closed),
        ending=ending or "",
    )


def delivery(row: Any) -> Delivery:
    """Return the delivery of a row: its columns are in the order of the class."""
    notifier, reason, created, attempts, tried, delivered, superseded, error = row
    return Delivery(
        notifier=notifier,
        reason=reason,
        created=moment(created),
        attempts=attempts,
        tried=_maybe(tried),
        delivered=_maybe(delivered),
        superseded=_maybe(superseded),
        error=error or "",
    )


def waiting(row: Any) -> Waiting:
    """Return what waits for the channel of a row: its columns are in the order of the class."""
    notifier, messages, since, attempts, tried, error = row
    return Waiting(
        notifier=notifier,
        messages=messages,
        since=moment(since),
        attempts=attempts,
        tried=_maybe(tried),
        error=error or "",
    )


def past_outcome(row: Any) -> PastOutcome:
    """Return the outcome of a row: its columns are in the order of the class."""
    at, outcome, severity, fact, duration = row
    return PastOutcome(
        at=moment(at), outcome=outcome, severity=severity, fact=fact, duration=duration
    )


def past_measure(row: Any) -> PastMeasure:
    """Return the measure of a row: started, name, value, unit, limit, status."""
    at, name, value, unit, limit, status = row
    measure = Measure(name=name, value=value, unit=unit, limit=limit, status=status)
    return PastMeasure(at=moment(at), measure=measure)


def _maybe(seconds: float | None) -> datetime | None:
    return None if seconds is None else moment(seconds)

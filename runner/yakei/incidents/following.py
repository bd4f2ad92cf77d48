"""Follows each trouble from run to run, and tells of it when it is time to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from yakei.incidents.addressing import together, told_as_well, told_at_once
from yakei.incidents.flapping import in_words
from yakei.incidents.past import peak_of
from yakei.incidents.reasons import (
    has_become_critical,
    has_doubled,
    has_grown,
    is_kept_quiet,
    reason_to_tell,
    shape_of,
)
from yakei.incidents.remembered import History, Incident, Notice, Reason
from yakei.incidents.troubles import Trouble
from yakei.incidents.view import View
from yakei.results import worst_of
from yakei.words import clock

_ID = 6
"""Hexadecimal digits: they tell a suite's open incidents apart, and are short enough to type."""


def follow(
    view: View, troubles: Iterable[Trouble]
) -> tuple[dict[str, Incident], tuple[Notice, ...]]:
    """Return the incident of each trouble as it now stands, and what is to be told of them."""
    incidents: dict[str, Incident] = {}
    notices: list[Notice] = []
    taken = {each.id for each in view.state.incidents.values()}
    for trouble in troubles:
        incident = _seen_again(view, trouble, taken)
        for notice in _notices(view, trouble, incident):
            incident = as_told(incident, notice, view)
            notices.append(replace(notice, incident=_shown(view, notice, incident)))
        taken.add(incident.id)
        incidents[trouble.key] = incident
    return incidents, tuple(notices)


def as_told(incident: Incident, notice: Notice, view: View) -> Incident:
    """Return the incident after a notice: what is worse starts its reminders again."""
    told = replace(incident, told_to=together(incident.told_to, notice.to))
    if notice.reason is Reason.ESCALATED:  # news for those who join; for the others time goes on
        return told
    # The highest counts, or a value that sways around a limit would be told each time.
    highest = worst_of(incident.told_severity, incident.severity)
    worst = incident.worst.value if incident.worst else None
    told = replace(told, told_severity=highest, told_value=worst)
    shape = (shape_of(incident.fact),)
    if notice.reason is Reason.CHANGED:  # the reminders go on as they were
        return replace(told, told_facts=incident.told_facts + shape)
    return replace(
        told,
        first_told=incident.first_told or view.now,
        told_at=view.now,
        told_facts=shape,
        reminders=incident.reminders + 1 if notice.reason is Reason.REMINDER else 0,
    )


def identity(key: str, opened: datetime, taken: Iterable[str] = ()) -> str:
    """Return a short name for an incident, which no other open one has."""
    from hashlib import sha256  # with it OpenSSL's library, of no use while all is well

    others, number = set(taken), 0
    while True:
        text = f"{key} {opened.isoformat()} {number}"
        name = sha256(text.encode(errors="replace")).hexdigest()[:_ID]
        if name not in others:
            return name
        number += 1


def flapping_in_words(view: View, incident: Incident) -> Incident:
    """Return an incident as people are told that it is flapping."""
    recent = view.histories.get(incident.key, History()).recent
    return replace(incident, fact=in_words(recent, incident.fact))


def _seen_again(view: View, trouble: Trouble, taken: Iterable[str]) -> Incident:
    known = view.state.incidents.get(trouble.key)
    if known and known.acknowledged and has_grown(view, trouble):
        known = None  # nobody has said anything of those that have vanished since
    incident = known or Incident(
        key=trouble.key,
        label=trouble.label,
        fact=trouble.fact,
        severity=trouble.severity,
        since=view.now,
        last_failure=view.now,
        runs=0,
    )
    seen = replace(
        incident,
        id=incident.id or identity(trouble.key, incident.since, taken),
        label=trouble.label,
        fact=trouble.fact,
        severity=trouble.severity,
        outcome=trouble.outcome,
        last_failure=view.now,
        runs=incident.runs + 1,
        checks=trouble.checks,
        owners=trouble.owners,
        markers=trouble.markers,
        muted=trouble.muted,
        quiet=_quiet(view, trouble),
        cause=view.causes.get(trouble.key, ""),
        lasted=view.has_lasted(trouble, incident.runs + 1),
        passes=0,
    )
    return peak_of(seen, trouble.result, view.now)


def _quiet(view: View, trouble: Trouble) -> str:
    """Return why nobody is told of it now, for those who look."""
    if hushed := view.hushed.get(trouble.key):
        return hushed
    if cause := view.causes.get(trouble.key):
        return f"because of {cause}"
    if trouble.key in view.flapping:
        return "flapping: quiet until it is stable"
    end = view.policy.quiet_until(trouble.severity, view.now)
    return f"quiet hours until {clock(end, view.now, view.policy.zone)}" if end else ""


def _notices(view: View, trouble: Trouble, incident: Incident) -> Iterator[Notice]:
    """Yield what is told of an incident: the news for who is concerned, and who joins them."""
    reason = reason_to_tell(view, trouble, incident)
    joined = told_as_well(incident, view.policy, view.now)
    told: tuple[str, ...] = ()
    if reason:
        heard = [name for name in joined if name in incident.told_to]
        told = together(told_at_once(incident, view.policy), heard)
        doubled_from = _doubled_from(reason, incident, trouble)
        yield replace(_notice(view, trouble, incident, reason, told), told_value=doubled_from)
    new = tuple(name for name in joined if name not in {*told, *incident.told_to})
    if new and not _is_let_be(view, trouble, incident):
        yield _notice(view, trouble, incident, Reason.ESCALATED, new)


def _is_let_be(view: View, trouble: Trouble, incident: Incident) -> bool:
    """Return whether nobody is to join those who were told."""
    known = incident.acknowledged or not trouble.reminded
    return bool(known or trouble.key in view.flapping or is_kept_quiet(view, incident))


def _notice(
    view: View, trouble: Trouble, incident: Incident, reason: Reason, to: tuple[str, ...]
) -> Notice:
    return Notice(
        reason=reason,
        incident=incident,
        result=trouble.result,
        details=trouble.details,
        history=view.state.histories.get(trouble.key, History()),
        last_failed=view.state.last_failed.get(trouble.key),
        to=to,
        explains=view.explained_by(trouble.key),
        window=trouble.window,
    )


def _doubled_from(reason: Reason, incident: Incident, trouble: Trouble) -> float | None:
    """Return what people were told of the number, when it is worse for no other reason."""
    if reason is not Reason.WORSE or has_become_critical(incident):
        return None
    return incident.told_value if has_doubled(incident, trouble) else None


def _shown(view: View, notice: Notice, incident: Incident) -> Incident:
    flapping = notice.reason is Reason.FLAPPING
    return flapping_in_words(view, incident) if flapping else incident

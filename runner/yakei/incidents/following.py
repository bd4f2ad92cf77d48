"""Follows each trouble from run to run, and gives the reason when it is time to tell it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from yakei.incidents.past import peak_of
from yakei.incidents.policy import Policy
from yakei.incidents.remembered import History, Incident, Notice, Reason, State
from yakei.incidents.troubles import Trouble
from yakei.results import Severity
from yakei.words import one_line

_AMOUNT = re.compile(r"(?:\d[\d.,:+-]*\s*(?:(?:d|h|min|s|ms|[KMGT]?i?B|%)(?!\w))?\s*)+")
"""A number, a duration in any units, a size: what moves while the fact stays the same."""
_VARYING = re.compile(r"; # checks? not judged$|\bwarning (?=limit\b)")
_ADDRESS = re.compile(r"\b0x[0-9a-f]+\b")
_CHANGES = 3
"""Ways of failing that are told before the next reminder: a fact may be different each time."""


def follow(
    state: State, troubles: Iterable[Trouble], policy: Policy, now: datetime
) -> tuple[dict[str, Incident], tuple[Notice, ...]]:
    """Return the incident of each trouble as it now stands, and what is to be told of them."""
    incidents: dict[str, Incident] = {}
    notices = []
    for trouble in troubles:
        incident = _seen_again(state.incidents.get(trouble.key), trouble, now)
        reason = reason_to_tell(incident, trouble, policy, now)
        if reason:
            incident = _as_told(incident, reason, now)
            notices.append(
                Notice(
                    reason=reason,
                    incident=incident,
                    result=trouble.result,
                    details=trouble.details,
                    history=state.histories.get(trouble.key, History()),
                    last_failed=state.last_failed.get(trouble.key),
                )
            )
        incidents[trouble.key] = incident
    return incidents, tuple(notices)


def _seen_again(incident: Incident | None, trouble: Trouble, now: datetime) -> Incident:
    seen = Incident(
        key=trouble.key,
        label=trouble.label,
        fact=trouble.fact,
        severity=trouble.severity,
        outcome=trouble.outcome,
        since=now,
        last_failure=now,
        checks=trouble.checks,
        muted=trouble.muted,
    )
    if incident:
        seen = replace(
            seen,
            since=incident.since,
            runs=incident.runs + 1,
            told_at=incident.told_at,
            told_severity=incident.told_severity,
            told_facts=incident.told_facts,
            reminders=incident.reminders,
            measure=incident.measure,
            value=incident.value,
            worst=incident.worst,
        )
    return peak_of(seen, trouble.result, now)


def reason_to_tell(
    incident: Incident, trouble: Trouble, policy: Policy, now: datetime
) -> Reason | None:
    """Return why people are told of an incident now, or None when they are not."""
    if incident.muted or policy.holds_back(incident.severity, now):
        return None
    if incident.told_at is None:
        return trouble.first_reason if incident.runs >= trouble.threshold else None
    if incident.severity is Severity.CRITICAL and incident.told_severity is Severity.WARNING:
        return Reason.WORSE
    shapes = incident.told_facts
    if shapes and len(shapes) <= _CHANGES and _shape(incident.fact) not in shapes:
        return Reason.CHANGED
    overdue = policy.is_reminder_due(incident.told_at, incident.reminders, now)
    return Reason.REMINDER if overdue else None


def _as_told(incident: Incident, reason: Reason, now: datetime) -> Incident:
    """Return the incident after it was told: what is worse starts its reminders again."""
    # The highest counts, or a value that sways around its critical limit would be told each time.
    worst_told = incident.severity
    if incident.told_severity is Severity.CRITICAL:
        worst_told = Severity.CRITICAL
    shape = (_shape(incident.fact),)
    if reason is Reason.CHANGED:  # the reminders go on as they were
        return replace(incident, told_severity=worst_told, told_facts=incident.told_facts + shape)
    reminders = incident.reminders + 1 if reason is Reason.REMINDER else 0
    return replace(
        incident,
        told_at=now,
        told_severity=worst_told,
        told_facts=shape,
        reminders=reminders,
    )


def _shape(fact: str) -> str:
    """Return what a fact says, without its numbers, nor how many checks or which limit it broke."""
    return _VARYING.sub("", _AMOUNT.sub("# ", _ADDRESS.sub("", one_line(fact)))).strip()

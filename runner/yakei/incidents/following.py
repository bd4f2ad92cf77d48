"""Follows each trouble from run to run, and gives the reason when it is time to tell it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from yakei.incidents.past import peak_of
from yakei.incidents.policy import Policy
from yakei.incidents.remembered import History, Incident, Notice, Reason, State
from yakei.incidents.troubles import Trouble
from yakei.results import Severity


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
    overdue = policy.is_reminder_due(incident.told_at, incident.reminders, now)
    return Reason.REMINDER if overdue else None


def _as_told(incident: Incident, reason: Reason, now: datetime) -> Incident:
    """Return the incident after it was told: what is worse starts its reminders again."""
    # The highest counts, or a value that sways around its critical limit would be told each time.
    worst_told = incident.severity
    if incident.told_severity is Severity.CRITICAL:
        worst_told = Severity.CRITICAL
    reminders = incident.reminders + 1 if reason is Reason.REMINDER else 0
    return replace(incident, told_at=now, told_severity=worst_told, reminders=reminders)

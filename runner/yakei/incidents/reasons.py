"""Gives the reason why people are told of an incident now, or none."""

from __future__ import annotations

import re

from yakei.incidents.past import at_fault
from yakei.incidents.remembered import Flapping, Incident, Reason
from yakei.incidents.troubles import Trouble
from yakei.incidents.view import View
from yakei.results import Severity
from yakei.words import one_line

_AMOUNT = re.compile(r"(?:\d[\d.,:+-]*\s*(?:(?:d|h|min|s|ms|[KMGT]?i?B|%)(?!\w))?\s*)+")
"""A number, a duration in any units, a size: what moves while the fact stays the same."""
_VARYING = re.compile(r"; # checks? not judged$|\bwarning (?=limit\b)")
_ADDRESS = re.compile(r"\b0x[0-9a-f]+\b")
_CHANGES = 3
"""Ways of failing that are told before the next reminder: a fact may be different each time."""


def reason_to_tell(view: View, trouble: Trouble, incident: Incident) -> Reason | None:
    """Return why people are told of an incident now, or None when they are not.

    Args:
        view: this run and what was before.
        trouble: what this run found.
        incident: as this run has left it, and as people were told of it before.
    """
    if is_kept_quiet(view, incident):
        return None
    if flapping := view.flapping.get(trouble.key):
        return _of_flapping(flapping, incident)
    if incident.told_at is None:
        return trouble.first_reason if view.has_lasted(trouble, incident.runs) else None
    return _news_of_it(view, trouble, incident) or _reminder(view, trouble, incident)


def is_kept_quiet(view: View, incident: Incident) -> bool:
    """Return whether nobody is told of an incident now, whatever becomes of it."""
    return bool(
        incident.muted
        or view.hushed.get(incident.key)
        or view.causes.get(incident.key)
        or view.policy.quiet_until(incident.severity, view.now)
    )


def has_become_critical(incident: Incident) -> bool:
    """Return whether people were told of a warning that is critical now."""
    critical = incident.severity is Severity.CRITICAL
    return critical and incident.told_severity is Severity.WARNING


def has_doubled(incident: Incident, trouble: Trouble) -> bool:
    """Return whether the number at fault is twice, or half, the worst that people were told.

    Twice for a limit from above and half for one from below ("at least"); of zero and of what is
    less there is no double.
    """
    measure = at_fault(trouble.result.measures) if trouble.result else None
    told = incident.told_value
    if measure is None or measure.value is None or measure.name != incident.measure:
        return False
    if told is None or told <= 0:
        return False
    falls = measure.limit.startswith("at least")
    return measure.value <= told / 2 if falls else measure.value >= told * 2


def has_grown(view: View, trouble: Trouble) -> bool:
    """Return whether more checks have vanished than people know of."""
    known = view.state.incidents.get(trouble.key)
    if trouble.first_reason is not Reason.VANISHED or known is None:
        return False
    return not set(trouble.checks) <= set(known.checks)


def shape_of(fact: str) -> str:
    """Return what a fact says, without its numbers, nor how many checks or which limit it broke."""
    return _VARYING.sub("", _AMOUNT.sub("# ", _ADDRESS.sub("", one_line(fact)))).strip()


def _news_of_it(view: View, trouble: Trouble, incident: Incident) -> Reason | None:
    """Return what people do not know yet of an incident that they were told of."""
    if has_grown(view, trouble):
        return trouble.first_reason
    if has_become_critical(incident) or has_doubled(incident, trouble):
        return Reason.WORSE
    shapes = incident.told_facts
    news = shapes and len(shapes) <= _CHANGES and shape_of(incident.fact) not in shapes
    return Reason.CHANGED if news else None


def _reminder(view: View, trouble: Trouble, incident: Incident) -> Reason | None:
    if incident.acknowledged or not trouble.reminded or incident.told_at is None:
        return None
    due = view.policy.is_reminder_due(incident.told_at, incident.reminders, view.now)
    return Reason.REMINDER if due else None


def _of_flapping(flapping: Flapping, incident: Incident) -> Reason | None:
    if flapping.told_severity is None:
        return Reason.FLAPPING
    worse = incident.severity is Severity.CRITICAL
    return Reason.WORSE if worse and flapping.told_severity is Severity.WARNING else None

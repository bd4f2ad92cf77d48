"""Sees to it that whoever was told of a problem hears of its end, once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from yakei.incidents.addressing import together, told_at_once
from yakei.incidents.following import as_told, flapping_in_words
from yakei.incidents.policy import Policy
from yakei.incidents.reasons import is_kept_quiet
from yakei.incidents.remembered import Incident, Notice, Reason
from yakei.incidents.view import View
from yakei.results import worst_of


def tell_of_flapping(
    view: View, incidents: Iterable[Incident]
) -> tuple[dict[str, Incident], tuple[Notice, ...]]:
    """Return the incidents of checks that are well in this run, and who hears that they flap.

    Args:
        view: this run and what was before.
        incidents: those that have just ended, or are about to.
    """
    after, notices = {}, []
    for incident in (_as_it_stands(view, each) for each in incidents):
        flapping = view.flapping.get(incident.key)
        after[incident.key] = incident
        untold = flapping is not None and flapping.told_severity is None
        if untold and incident.passes and not is_kept_quiet(view, incident):
            notice = Notice(
                reason=Reason.FLAPPING,
                incident=incident,
                to=told_at_once(incident, view.policy),
            )
            told = as_told(incident, notice, view)
            after[incident.key] = told
            notices.append(replace(notice, incident=flapping_in_words(view, told)))
    return after, tuple(notices)


def settle(
    view: View,
    over: Iterable[Incident],
    still_open: Mapping[str, Incident],
    gone: Collection[str],
) -> tuple[tuple[Notice, ...], dict[str, Incident]]:
    """Return the recoveries that are told now, and those that people are still owed.

    What people believe is the truth to go by: an incident that ends and begins anew before they
    heard of its end is one to them. What is owed survives the quiet hours, and flapping.

    Args:
        view: this run and what was before.
        over: the incidents that have just recovered.
        still_open: those that are open after this run, by key.
        gone: the keys of what has ended otherwise: a check that is no longer in the suite, of
            which nobody knows whether it is well, or a skip of one that fails now.
    """
    owed = {key: each for key, each in view.state.owed.items() if key not in gone}
    for incident in (*over, *_replaced(view, still_open)):
        if believers := _believers(incident, view.policy):
            ended = replace(incident, told_to=believers)
            owed[incident.key] = _merged(owed.get(incident.key), ended)
    notices = []
    for key, incident in tuple(owed.items()):
        if key in still_open or key in view.flapping:
            continue
        severity = incident.told_severity or incident.severity
        if not view.policy.quiet_until(severity, view.now):
            del owed[key]
            hear = tuple(filter(view.policy.wants_recovery, incident.told_to))
            if hear:
                notices.append(Notice(reason=Reason.RECOVERED, incident=incident, to=hear))
    return tuple(notices), owed


def _as_it_stands(view: View, incident: Incident) -> Incident:
    """Return an incident of which there is no trouble now, with why it is quiet today."""
    cause = view.earlier_causes.get(incident.key, "")
    quiet = view.hushed.get(incident.key) or (f"because of {cause}" if cause else "")
    return replace(incident, quiet=quiet, cause=cause)


def _replaced(view: View, still_open: Mapping[str, Incident]) -> Iterable[Incident]:
    """Give the incidents in whose place others have opened, under the same key."""
    for key, incident in view.state.incidents.items():
        if key in still_open and incident.id not in {"", still_open[key].id}:
            yield incident


def _believers(incident: Incident, policy: Policy) -> tuple[str, ...]:
    """Return who was told; a state of before that was kept does not know of whom it was."""
    if incident.told_to or incident.told_at is None:
        return incident.told_to
    return told_at_once(incident, policy)


def _merged(earlier: Incident | None, last: Incident) -> Incident:
    """Return one incident for all that people believe of the same thing."""
    if earlier is None:
        return last
    return replace(
        last,
        told_to=together(earlier.told_to, last.told_to),
        told_severity=worst_of(earlier.told_severity, last.told_severity),
    )

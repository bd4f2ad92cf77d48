"""Tells of checks that fail and are not due: what kept them quiet when they ran may be over."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from yakei.incidents.addressing import told_as_well, told_at_once
from yakei.incidents.following import as_told
from yakei.incidents.remembered import History, Incident, Notice, Reason
from yakei.incidents.view import View
from yakei.results import CheckResult


def tell_between_turns(
    view: View, lasting: Iterable[Incident], not_due: Collection[str]
) -> tuple[dict[str, Incident], tuple[Notice, ...]]:
    """Return the incidents of checks whose time has not come, and what is told of them now.

    Nobody has asked them again, so there is nothing to remind of; but the morning has come, a
    silence has ended, its cause is over, or nobody has acknowledged it.
    """
    after, notices = {}, []
    waiting = set(not_due)
    for incident in lasting:
        if incident.key not in waiting or _is_let_be(view, incident):
            continue
        if incident.told_at is None:
            reason, to = Reason.NEW, told_at_once(incident, view.policy)
        else:
            joined = told_as_well(incident, view.policy, view.now)
            reason = Reason.ESCALATED
            to = tuple(name for name in joined if name not in incident.told_to)
        if to:
            notice = Notice(
                reason=reason,
                incident=incident,
                result=_as_known(view, incident),
                history=view.state.histories.get(incident.key, History()),
                last_failed=view.state.last_failed.get(incident.key),
                to=to,
            )
            told = as_told(incident, notice, view)
            after[incident.key] = told
            notices.append(replace(notice, incident=told))
    return after, tuple(notices)


def _is_let_be(view: View, incident: Incident) -> bool:
    """Return whether nobody is to hear of it now; `quiet` says why, as it stands today."""
    return bool(
        not (incident.lasted or incident.told_at)
        or incident.muted
        or incident.acknowledged
        or incident.passes
        or incident.quiet
        or incident.key in view.flapping
        or view.policy.quiet_until(incident.severity, view.now)
    )


def _as_known(view: View, incident: Incident) -> CheckResult | None:
    """Return what is known of a check that did not run: what it said when it last passed."""
    profile = view.state.histories.get(incident.key, History()).profile
    if profile is None or incident.outcome is None:
        return None
    return replace(
        profile, outcome=incident.outcome, fact=incident.fact, severity=incident.severity
    )

"""Takes a decision's notices back, for a run of which nobody was to hear."""

from __future__ import annotations

from dataclasses import replace

from yakei.incidents import Decision
from yakei.incidents.remembered import Flapping, Incident, Reason, State


def unheard(before: State, decision: Decision) -> Decision:
    """Return the decision as if none of its notices had been given: the next run gives them.

    Args:
        before: what was remembered of the runs before.
        decision: of this run.
    """
    after = decision.state
    recovered = [each.incident for each in decision.notices if each.reason is Reason.RECOVERED]
    missed = {each.incident.key for each in decision.notices if each.reason is Reason.VANISHED}
    incidents = {key: _untold(each, before) for key, each in after.incidents.items()}
    for key in missed & before.incidents.keys():  # or the next run would find none of them new
        incidents[key] = replace(incidents[key], checks=before.incidents[key].checks)
    state = replace(
        after,
        incidents=incidents,
        flapping={key: _unsaid(each, before) for key, each in after.flapping.items()},
        owed={**after.owed, **{each.key: each for each in recovered}},
        told=after.told & before.told,
        held=tuple(dict.fromkeys((*before.held, *after.held))),
    )
    return replace(decision, state=state)


def _untold(incident: Incident, before: State) -> Incident:
    known = before.incidents.get(incident.key) or Incident(
        key=incident.key,
        label=incident.label,
        fact=incident.fact,
        severity=incident.severity,
        since=incident.since,
        last_failure=incident.last_failure,
    )
    return replace(
        incident,
        first_told=known.first_told,
        told_at=known.told_at,
        told_to=known.told_to,
        told_severity=known.told_severity,
        told_value=known.told_value,
        told_facts=known.told_facts,
        reminders=known.reminders,
    )


def _unsaid(flapping: Flapping, before: State) -> Flapping:
    known = before.flapping.get(flapping.key)
    return replace(flapping, told_severity=known.told_severity if known else None)

"""Weighs the troubles of a run against each other: which explains which, and how bad that is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from yakei.incidents.explaining import Dependencies, causes_of, suffices
from yakei.incidents.flapping import flapping_now
from yakei.incidents.hushing import Hush
from yakei.incidents.past import learned
from yakei.incidents.policy import Policy
from yakei.incidents.remembered import Incident, State
from yakei.incidents.troubles import Trouble
from yakei.incidents.view import View
from yakei.results import RunReport, worst_of


def viewed(
    state: State,
    report: RunReport,
    troubles: Iterable[Trouble],
    policy: Policy,
    now: datetime,
    *,
    lasting: Mapping[str, Incident],
    forgotten: Iterable[str] = (),
) -> View:
    """Return what the decision about each of the troubles looks at.

    Args:
        state: as it was before the run.
        report: of the run.
        troubles: what the run found wrong.
        policy: how loud to be.
        now: the time of the decision.
        lasting: the incidents that are still open though the run has found no trouble of them.
        forgotten: the ids of checks that are no longer in the suite, as somebody has confirmed.
    """
    hush = Hush(state, policy, now)
    hushed = {each.key: hush.of(each.key, each.label, each.checks) for each in troubles}
    for key, each in state.incidents.items():
        hushed.setdefault(key, hush.of(key, each.label, each.checks))
    histories = learned(state, report, troubles, forgotten, now)

    def explains(cause: Incident, trouble: Trouble | Incident) -> bool:
        # who silences or acknowledges a cause does not want to hear of what it brings with it
        known = bool(hushed.get(cause.key) or cause.acknowledged)
        return known or suffices(cause, trouble)

    earlier = {key: each for key, each in lasting.items() if not each.passes}
    dependencies = Dependencies(report, histories)
    causes = causes_of(troubles, earlier, dependencies, explains=explains)
    return View(
        state=state,
        policy=policy,
        now=now,
        histories=histories,
        flapping=flapping_now(state.flapping, histories, now),
        hushed=hushed,
        causes={key: cause for key, cause in causes.items() if key not in earlier},
        earlier_causes={key: cause for key, cause in causes.items() if key in earlier},
    )


def raised(view: View, troubles: Iterable[Trouble]) -> tuple[Trouble, ...]:
    """Return the troubles, each as bad as the worst that it explains.

    Otherwise a warning would keep what is critical waiting for the morning.
    """
    found = {each.key: each for each in troubles}

    def weight(trouble: Trouble) -> Trouble:
        dependents = (found[key] for key in view.explained_by(trouble.key))
        heard = [each.severity for each in dependents if _would_be_told(view, each)]
        return replace(trouble, severity=worst_of(trouble.severity, *heard)) if heard else trouble

    return tuple(map(weight, found.values())) if view.causes else tuple(found.values())


def _would_be_told(view: View, trouble: Trouble) -> bool:
    """Return whether people would hear of a trouble if nothing explained it."""
    known = view.state.incidents.get(trouble.key)
    lasts = view.has_lasted(trouble, known.runs + 1 if known else 1)
    return lasts and not trouble.muted and not view.hushed.get(trouble.key)

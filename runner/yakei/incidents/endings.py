"""Says which incidents are over: recovered, or closed because nobody can be asked any more."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import NamedTuple

from yakei.incidents.policy import Policy
from yakei.incidents.population import VANISHED
from yakei.incidents.remembered import Incident, State
from yakei.incidents.troubles import RESOURCE, RUN, SKIP, Trouble, is_complete
from yakei.report.tally import JUDGED
from yakei.results import Outcome, ProblemKind, RunReport


class Endings(NamedTuple):
    """What has become of the incidents of which this run found no trouble."""

    recovered: tuple[Incident, ...]
    removed: tuple[Incident, ...]
    """Closed, and no recovery: the check is gone, or nobody minds that it is skipped."""
    lasting: dict[str, Incident]
    """Still open, by key: not judged, or well for fewer runs than are asked for."""


def endings_of(
    state: State,
    report: RunReport,
    troubles: Iterable[Trouble],
    gone: Collection[str],
    policy: Policy,
) -> Endings:
    """Return which of the open incidents are over.

    Args:
        state: with the open incidents.
        report: of this run.
        troubles: what this run found wrong.
        gone: the ids of the checks that are no longer in the suite.
        policy: says how many passing runs are asked for.
    """
    present = {trouble.key for trouble in troubles}
    seen = _Seen(report, policy)
    recovered, removed, lasting = [], [], {}
    for key, incident in state.incidents.items():
        if key in present:
            continue
        ended = replace(incident, passes=incident.passes + 1)
        if seen.is_well(incident):
            if incident.told_at and ended.passes < _asked_for(key, policy):
                lasting[key] = ended
            else:
                recovered.append(ended)
        elif _is_gone(incident, gone) or seen.is_let_be(incident):
            removed.append(incident)
        else:
            lasting[key] = incident
    return Endings(recovered=tuple(recovered), removed=tuple(removed), lasting=lasting)


class _Seen:
    """What a run has seen of the checks, as far as incidents end by it."""

    def __init__(self, report: RunReport, policy: Policy) -> None:
        # Where a check that fails on purpose passes, no pass can be believed.
        believed = all(each.kind is not ProblemKind.CANARY for each in report.problems)
        results = report.results if believed else ()
        self._complete = is_complete(report)
        self._passed = {each.id for each in results if each.outcome is Outcome.PASSED}
        self._judged = {each.id for each in results if each.outcome in JUDGED}
        skipped = (each.id for each in results if each.outcome is Outcome.SKIPPED)
        self._allowed = {each for each in skipped if policy.allows_skip(each)}

    def is_well(self, incident: Incident) -> bool:
        """Return whether what the incident is about is well again, for all that was seen."""
        if incident.key.startswith(RUN):
            return self._complete and not (incident.key == VANISHED and incident.acknowledged)
        if incident.key.startswith(RESOURCE):
            # that nobody is blocked may only mean that nobody asked
            return not self._judged.isdisjoint(incident.checks)
        return incident.key.removeprefix(SKIP) in self._passed

    def is_let_be(self, incident: Incident) -> bool:
        """Return whether it is over in another way: let go, or judged and not skipped any more."""
        if incident.key == VANISHED:
            return self._complete
        check = incident.key.removeprefix(SKIP)
        return check != incident.key and check in self._judged | self._allowed


def _asked_for(key: str, policy: Policy) -> int:
    return 1 if key.startswith((RUN, SKIP)) else policy.recover_after


def _is_gone(incident: Incident, gone: Collection[str]) -> bool:
    if incident.key.startswith(RUN):
        return False
    checks = incident.checks if incident.key.startswith(RESOURCE) else ()
    own = incident.key.removeprefix(SKIP) in gone
    return own or (bool(checks) and set(checks) <= set(gone))

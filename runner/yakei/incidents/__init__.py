"""Decides what people are told about a run, and what is remembered of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from yakei.incidents.announcements import (
    missed_runs,
    still_told,
    tell_of_checks,
    tell_vanished,
    unallowed_skips,
    vanished,
)
from yakei.incidents.following import follow
from yakei.incidents.past import as_of, learned, with_profile
from yakei.incidents.policy import Policy
from yakei.incidents.remembered import CompleteRun, Held, Incident, Notice, Reason, State
from yakei.incidents.troubles import MONITOR, Trouble, find_troubles, is_blocked, is_complete
from yakei.report.tally import JUDGED, tally
from yakei.results import Outcome, ProblemKind, RunReport, Severity

_RUN, _RESOURCE = "run:", "resource:"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What follows from a run."""

    state: State
    """To be remembered."""
    report: RunReport
    """The run's report, each result with the label, owner and severity that are known of it."""
    notices: tuple[Notice, ...] = ()
    """To be told now."""
    still_failing: tuple[Incident, ...] = ()
    """Told earlier, not due again: one line each in whatever is told now."""
    recovered: tuple[Incident, ...] = ()
    """Closed by this run, told or not."""
    removed: tuple[Incident, ...] = ()
    """Closed because their check is no longer in the suite."""
    vanished: tuple[str, ...] = ()
    """The ids of the checks that are no longer in the suite."""
    complete: bool = False
    """Whether the run judged the whole suite."""
    failing: bool = False
    """Whether a check that was due did not pass, and is not a known issue."""
    broken: bool = False
    """Whether the run itself is: crash, no report, nothing collected, a check vanished, …."""


def decide(state: State, report: RunReport, policy: Policy, now: datetime) -> Decision:
    """Return what is told about a run and what is remembered of it; nothing is done yet.

    Args:
        state: what was remembered of the runs before.
        report: what this run found out, failing checks already confirmed.
        policy: how loud to be.
        now: the time of the decision, aware.
    """
    state = as_of(now, state)  # first, so that nobody below has to think of a clock set back
    report = with_profile(report, state.histories)
    gone = vanished(state, report)
    troubles = find_troubles(report, policy, now)
    recovered, removed = _over(state, report, troubles, gone)
    incidents, about_troubles = follow(state, troubles, policy, now)
    once = tell_of_checks(state, report, policy, now)
    warnings = (
        *missed_runs(state, report, policy, now),
        *once.values(),
        *(_recovery(each) for each in recovered if policy.recovery and each.told_at),
    )
    # What is told once is lost when it is not told, so it is kept over the quiet hours; incidents
    # need no keeping, they are there in the morning or have recovered by themselves.
    aloud, held = _hold_back(_still_held(state, report, troubles), warnings, policy, now)
    notices = (*about_troubles, *tell_vanished(gone, now), *aloud)
    over = {each.key for each in (*recovered, *removed)}
    kept = {key: each for key, each in state.incidents.items() if key not in over}
    following = replace(
        learned(state, report, gone, now),
        incidents=kept | incidents,
        told=still_told(state, report, gone) | once.keys(),
        held=held,
        last_failed={**state.last_failed, **{each.key: each.last_failure for each in recovered}},
    )
    return Decision(
        state=_advanced(following, report, now),
        report=report,
        notices=notices,
        still_failing=_still_failing(following, report, notices),
        recovered=recovered,
        removed=removed,
        vanished=gone,
        complete=is_complete(report),
        failing=_is_failing(troubles) or bool(unallowed_skips(report, policy)),
        broken=_is_broken(report) or bool(gone),
    )


def busy(state: State, text: str, policy: Policy, now: datetime) -> Decision:
    """Return what follows from a run that another one kept from starting.

    Args:
        state: what was remembered of the runs before.
        text: who holds the lock, since when and where it is stuck; the first line says the most.
        policy: how loud to be.
        now: the time of the decision, aware.
    """
    state = as_of(now, state)
    first, _, rest = text.partition("\n")
    trouble = Trouble(
        key="run:busy",
        label=MONITOR,
        fact=first,
        severity=Severity.CRITICAL,
        first_reason=Reason.RUN_BROKEN,
        details=rest,
    )
    incidents, notices = follow(state, (trouble,), policy, now)
    # last_run moves on: cron did call, and why nothing was checked is being told
    following = replace(state, incidents={**state.incidents, **incidents}, last_run=now)
    return Decision(state=following, report=RunReport(partial=True), notices=notices, broken=True)


def _over(
    state: State, report: RunReport, troubles: Iterable[Trouble], gone: tuple[str, ...]
) -> tuple[tuple[Incident, ...], tuple[Incident, ...]]:
    """Return the incidents that have recovered, and those whose checks are gone."""
    present = {trouble.key for trouble in troubles}
    passed = {each.id for each in report.results if each.outcome is Outcome.PASSED}
    judged = {each.id for each in report.results if each.outcome in JUDGED}
    recovered, removed = [], []
    for key, incident in state.incidents.items():
        if key in present:
            continue
        if key.startswith(_RUN):
            back = is_complete(report)
        elif key.startswith(_RESOURCE):
            # that nobody is blocked may only mean that nobody asked
            back = not judged.isdisjoint(incident.checks)
        else:
            back = key in passed
        if back:
            recovered.append(incident)
        elif key in gone or (incident.checks and set(incident.checks) <= set(gone)):
            removed.append(incident)
    return tuple(recovered), tuple(removed)


def _recovery(incident: Incident) -> Notice:
    return Notice(reason=Reason.RECOVERED, incident=incident)


def _still_held(state: State, report: RunReport, troubles: Iterable[Trouble]) -> tuple[Held, ...]:
    """Return what was held back and is still true: no recovery of what fails again."""
    present = {trouble.key for trouble in troubles}
    judged = {each.id for each in report.results if each.outcome in JUDGED}
    overtaken = {Reason.RECOVERED: present, Reason.SKIPPED: judged}
    return tuple(
        each
        for each in state.held
        if each.incident.key not in overtaken.get(each.reason, frozenset[str]())
    )


def _hold_back(
    held: tuple[Held, ...], notices: Iterable[Notice], policy: Policy, now: datetime
) -> tuple[tuple[Notice, ...], tuple[Held, ...]]:
    """Return what is told now, and what waits until the quiet hours are over."""
    earlier = (Notice(reason=each.reason, incident=each.incident) for each in held)
    aloud, waiting = [], []
    for notice in (*earlier, *notices):
        if policy.holds_back(notice.incident.severity, now):
            waiting.append(Held(reason=notice.reason, incident=notice.incident))
        else:
            aloud.append(notice)
    return tuple(aloud), tuple(waiting)


def _still_failing(
    state: State, report: RunReport, notices: Iterable[Notice]
) -> tuple[Incident, ...]:
    """Return the open incidents that were told, but for what is told or explained just now."""
    explained = {each.incident.key for each in notices}
    explained |= {each.id for each in report.results if is_blocked(each)}
    return tuple(
        incident
        for key, incident in state.incidents.items()
        if incident.told_at and not incident.muted and key not in explained
    )


def _advanced(state: State, report: RunReport, now: datetime) -> State:
    """Return the state with what the next run will count from."""
    if not report.partial:
        state = replace(state, last_run=now)
    if is_complete(report):
        summary = tally(report.results, len(report.not_due))
        known = (*report.collected, *(result.id for result in report.results), *report.not_due)
        state = replace(
            state,
            population=tuple(dict.fromkeys(known)),
            last_complete=CompleteRun(at=now, summary=summary),
        )
    return state


def _is_failing(troubles: Iterable[Trouble]) -> bool:
    return any(not each.muted and not each.key.startswith(_RUN) for each in troubles)


def _is_broken(report: RunReport) -> bool:
    """Return whether the run is broken; ended survivors have cost it nothing."""
    crashed = any(each.outcome is Outcome.CRASHED for each in report.results)
    return crashed or any(each.kind is not ProblemKind.SURVIVORS for each in report.problems)

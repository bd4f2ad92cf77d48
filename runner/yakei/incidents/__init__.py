"""Decides what people are told about a run, and what is remembered of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from yakei.incidents.announcements import missed_runs, still_told, tell_once
from yakei.incidents.between import tell_between_turns
from yakei.incidents.endings import endings_of
from yakei.incidents.exits import Exits
from yakei.incidents.flapping import told_of
from yakei.incidents.following import follow
from yakei.incidents.holding import hold_back
from yakei.incidents.past import as_of, with_acknowledgements, with_profile
from yakei.incidents.policy import Policy
from yakei.incidents.population import let_go, of_population, vanished
from yakei.incidents.recoveries import settle, tell_of_flapping
from yakei.incidents.remembered import CompleteRun, Incident, Notice, Reason, State
from yakei.incidents.troubles import (
    MONITOR,
    RUN,
    Trouble,
    find_troubles,
    is_blocked,
    is_complete,
    owned_by,
)
from yakei.incidents.view import View
from yakei.incidents.weighing import raised, viewed
from yakei.report.tally import tally
from yakei.results import RunReport, Severity


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What follows from a run."""

    state: State
    """To be remembered."""
    report: RunReport
    """The run's report, each result with the label, owner and severity that are known of it."""
    notices: tuple[Notice, ...] = ()
    """To be told now, each with the names of the notifiers that are told."""
    still_failing: tuple[Incident, ...] = ()
    """Told earlier, not due again: one line each in whatever is told now."""
    recovered: tuple[Incident, ...] = ()
    """Closed by this run, told or not."""
    removed: tuple[Incident, ...] = ()
    """Closed without a recovery: their check is no longer in the suite, or nobody minds."""
    vanished: tuple[str, ...] = ()
    """The ids of the checks that are no longer in the suite, and that people miss."""
    forgotten: tuple[str, ...] = ()
    """The ids of those that somebody has let go: all that is kept of them can go."""
    complete: bool = False
    """Whether the run judged the whole suite."""
    failing: bool = False
    """Whether a check that was due did not pass, and nobody has said that this is known."""
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
    # first, so that nobody below has to think of a clock set back
    state = with_acknowledgements(as_of(now, state))
    report = with_profile(report, state.histories)
    gone, forgotten = vanished(state, report), let_go(state, report)
    found = (*find_troubles(report, policy, now), *of_population(state, report, gone, policy))
    endings = endings_of(state, report, found, {*gone, *forgotten}, policy)
    view = viewed(state, report, found, policy, now, lasting=endings.lasting, forgotten=forgotten)
    troubles = raised(view, found)
    incidents, about_troubles = follow(view, troubles)
    ended, about_flapping = tell_of_flapping(view, (*endings.recovered, *endings.lasting.values()))
    lasting = {key: ended[key] for key in endings.lasting}
    between, about_waiting = tell_between_turns(view, lasting.values(), report.not_due)
    still_open = lasting | between | incidents
    recovered = tuple(ended[each.key] for each in endings.recovered)
    removed = {*gone, *forgotten, *(each.key for each in endings.removed)}
    recoveries, owed = settle(view, recovered, still_open, removed)
    once = tell_once(view, report)
    aloud, held = hold_back(view, report, (*missed_runs(view, report), *once.values()))
    notices = (*about_troubles, *about_waiting, *about_flapping, *aloud, *recoveries)
    exits = Exits(view, report, troubles, still_open)
    following = replace(
        state,
        incidents=still_open,
        histories=view.histories,
        flapping=told_of(view.flapping, notices),
        owed=owed,
        told=still_told(state.told, report, forgotten) | once.keys(),
        held=held,
        last_failed={**state.last_failed, **{each.key: each.last_failure for each in recovered}},
    )
    return Decision(
        state=_advanced(following, report, gone, now),
        report=report,
        notices=notices,
        still_failing=_still_failing(view, following, report, notices),
        recovered=recovered,
        removed=endings.removed,
        vanished=gone,
        forgotten=forgotten,
        complete=is_complete(report),
        failing=exits.failing,
        broken=exits.broken,
    )


def busy(state: State, text: str, policy: Policy, now: datetime) -> Decision:
    """Return what follows from a run that another one kept from starting.

    Args:
        state: what was remembered of the runs before.
        text: who holds the lock, since when and where it is stuck; the first line says the most.
        policy: how loud to be.
        now: the time of the decision, aware.
    """
    state = with_acknowledgements(as_of(now, state))
    first, _, rest = text.partition("\n")
    trouble = Trouble(
        key=f"{RUN}busy",
        label=MONITOR,
        fact=first,
        severity=Severity.CRITICAL,
        first_reason=Reason.RUN_BROKEN,
        owners=owned_by(policy),
        details=rest,
    )
    view = viewed(state, RunReport(), (trouble,), policy, now, lasting=state.incidents)
    incidents, notices = follow(view, (trouble,))
    # last_run moves on: cron did call, and why nothing was checked is being told
    following = replace(state, incidents={**state.incidents, **incidents}, last_run=now)
    return Decision(state=following, report=RunReport(partial=True), notices=notices, broken=True)


def _still_failing(
    view: View, state: State, report: RunReport, notices: Iterable[Notice]
) -> tuple[Incident, ...]:
    """Return the open incidents that were told, but for what is told or explained just now."""
    explained = {each.incident.key for each in notices}
    explained |= view.causes.keys() | view.earlier_causes.keys()
    explained |= {each.id for each in report.results if is_blocked(each)}
    quiet = {key for key, reason in view.hushed.items() if reason} | view.flapping.keys()
    return tuple(
        incident
        for key, incident in state.incidents.items()
        if incident.told_at
        and not (incident.muted or incident.passes)
        and key not in explained | quiet
    )


def _advanced(state: State, report: RunReport, gone: tuple[str, ...], now: datetime) -> State:
    """Return the state with what the next run will count from."""
    if not report.partial:
        state = replace(state, last_run=now)
    if is_complete(report):
        summary = tally(report.results, len(report.not_due))
        known = (*report.collected, *(result.id for result in report.results), *report.not_due)
        state = replace(
            state,
            population=tuple(dict.fromkeys((*gone, *known))),
            last_complete=CompleteRun(at=now, summary=summary),
        )
    return state

"""Brings together what a run found and what earlier runs knew: values, owners, the clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from yakei.incidents.flapping import STATES
from yakei.incidents.remembered import CompleteRun, Held, History, Incident, Peak, Reading, State
from yakei.incidents.troubles import RESOURCE, Trouble
from yakei.report.tally import JUDGED
from yakei.results import CheckResult, Measure, Outcome, RunReport, Severity

_WELL = "."
_MARKS = {Severity.WARNING: "w", Severity.CRITICAL: "c"}
"""How a run is remembered in a history."""


def as_of(now: datetime, state: State) -> State:
    """Return the state without times that lie ahead of us.

    After the clock was set back they would keep reminders quiet until it has caught up, for a
    year perhaps; so a gap that is negative becomes none, and all that counts starts anew.
    """
    complete = state.last_complete
    return replace(
        state,
        incidents={key: _until(now, each) for key, each in state.incidents.items()},
        last_run=min(state.last_run, now) if state.last_run else None,
        last_complete=CompleteRun(at=min(complete.at, now), summary=complete.summary)
        if complete
        else None,
        held=tuple(
            Held(reason=each.reason, incident=_until(now, each.incident)) for each in state.held
        ),
        owed={key: _until(now, each) for key, each in state.owed.items()},
        flapping={
            key: replace(each, since=min(each.since, now)) for key, each in state.flapping.items()
        },
    )


def with_acknowledgements(state: State) -> State:
    """Return the state with each acknowledgement at the incident that it is of."""
    known = {each.incident: each for each in state.acknowledgements}
    incidents = {
        key: replace(each, acknowledged=known[each.id]) if each.id in known else each
        for key, each in state.incidents.items()
    }
    return replace(state, incidents=incidents) if known else state


def with_profile(report: RunReport, histories: Mapping[str, History]) -> RunReport:
    """Return the report with the owner, severity and so on of checks that could not tell them.

    A check that never came to its end is known by its id alone; what it said when it last passed
    still holds.
    """
    results = (_known(each, histories.get(each.id, History())) for each in report.results)
    return replace(report, results=tuple(results))


def learned(
    state: State,
    report: RunReport,
    troubles: Iterable[Trouble],
    forgotten: Iterable[str],
    now: datetime,
) -> dict[str, History]:
    """Return the histories with what this run has measured, and how it has ended."""
    histories = dict(state.histories)
    for check in forgotten:
        histories.pop(check, None)
    judged = set()
    for result in report.results:
        if result.outcome in JUDGED:
            judged.add(result.id)
            histories[result.id] = _continued(histories.get(result.id, History()), result, now)
    down = {each.key: each for each in troubles if each.key.startswith(RESOURCE)}
    for key in {key for key in histories if key.startswith(RESOURCE)} | down.keys():
        history = histories.get(key, History())
        if key in down:
            recent = _recent(history, _MARKS[down[key].severity])
            histories[key] = replace(history, recent=recent, checks=down[key].checks)
        elif not judged.isdisjoint(history.checks):
            histories[key] = replace(history, recent=_recent(history, _WELL))
    return histories


def peak_of(incident: Incident, result: CheckResult | None, now: datetime) -> Incident:
    """Return the incident with the worst value that the measure at fault has had in it."""
    measure = at_fault(result.measures) if result else None
    if measure is None or measure.value is None:
        return incident
    peak = Peak(value=measure.value, at=now)
    same = incident.measure == measure.name
    if same and incident.worst and not _is_worse(measure, incident.worst):
        peak = incident.worst
    told = incident.told_value if same else None  # of another measure it says nothing
    return replace(incident, measure=measure.name, value=measure.value, worst=peak, told_value=told)


def at_fault(measures: Iterable[Measure]) -> Measure | None:
    """Return the measure that broke its limit, the critical one first; None when none did."""
    broken = sorted((each for each in measures if each.status != "ok"), key=lambda m: m.status)
    return broken[0] if broken else None


def _until(now: datetime, incident: Incident) -> Incident:
    worst = incident.worst
    return replace(
        incident,
        since=min(incident.since, now),
        last_failure=min(incident.last_failure, now),
        first_told=min(incident.first_told, now) if incident.first_told else None,
        told_at=min(incident.told_at, now) if incident.told_at else None,
        worst=Peak(value=worst.value, at=min(worst.at, now)) if worst else None,
    )


def _known(result: CheckResult, history: History) -> CheckResult:
    profile = history.profile
    if profile is None or result.claim:  # only the plugin knows the claim, and then all the rest
        return result
    return replace(
        profile,
        outcome=result.outcome,
        fact=result.fact,
        details=result.details,
        measures=result.measures,
        notes=result.notes,
        unavailable=result.unavailable,
        memory=result.memory,
        started=result.started,
        duration=result.duration,
        waited=result.waited,
        cut_off=result.cut_off,
        worker=result.worker,
        output=result.output,
    )


def _continued(history: History, result: CheckResult, now: datetime) -> History:
    reading = Reading(at=now, measures=result.measures)
    passed = result.outcome is Outcome.PASSED
    return replace(
        history,
        last=reading if result.measures or passed else history.last,
        good=reading if passed else history.good,
        profile=_profile(result) if passed else history.profile,
        recent=_recent(history, _WELL if passed else _MARKS[result.severity]),
    )


def _recent(history: History, mark: str) -> str:
    return (history.recent + mark)[-STATES:]


def _profile(result: CheckResult) -> CheckResult:
    return replace(
        result,
        measures=(),
        notes=(),
        memory=None,
        started=None,
        duration=0.0,
        waited=0.0,
        worker="",
        output="",
    )


def _is_worse(measure: Measure, than: Peak) -> bool:
    """Return whether a value is worse than the worst so far; equal ones keep their first time."""
    if measure.value is None:
        return False
    falls = measure.limit.startswith("at least")
    return measure.value < than.value if falls else measure.value > than.value

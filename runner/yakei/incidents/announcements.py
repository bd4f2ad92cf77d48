"""Finds what is told once: runs that did not come, checks never judged, known issues that pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from yakei.incidents.following import identity
from yakei.incidents.population import unallowed_skips, was_judged
from yakei.incidents.remembered import Incident, Notice, Reason
from yakei.incidents.troubles import MONITOR, RUN, is_by_hand, of_problems, owned_by
from yakei.incidents.view import View
from yakei.report.tally import JUDGED
from yakei.results import CheckResult, Outcome, RunReport, Severity
from yakei.words import how_long, one_line, said, short_clock

_MISSED = 2
"""Intervals without a run; one may be late."""
_SKIP, _PASSES, _EMPTY = "skip", "passes", "empty"
"""How the marks begin of what was told once."""


def missed_runs(view: View, report: RunReport) -> Iterable[Notice]:
    """Give that cron has not called us for a while, if so.

    The gap counts from the last run of any kind: one that was broken has been told as such.
    """
    last, now, policy = view.state.last_run, view.now, view.policy
    if report.partial or last is None or now - last <= _MISSED * policy.interval:
        return
    begin, end = short_clock(last, now, policy.zone), short_clock(now, now, policy.zone)
    fact = f"no run between {begin} and {end} ({how_long(now - last)})"
    incident = _once(view, f"{RUN}missed", MONITOR, fact, Severity.WARNING)
    incident = replace(incident, since=last, owners=owned_by(policy))
    yield Notice(reason=Reason.MISSED_RUNS, incident=incident)


def tell_once(view: View, report: RunReport) -> Mapping[str, Notice]:
    """Return what is to be said once about this run's checks, by the mark that it was said."""
    notices = {
        **_empty_by_hand(view, report),
        **_never_judged(view, report),
        **_passing(view, report),
    }
    hushed = {
        mark
        for mark, each in notices.items()
        if view.hush.of(each.incident.key, each.incident.label)
    }
    return {
        mark: notice
        for mark, notice in notices.items()
        if mark not in hushed and mark not in view.state.told
    }


def _empty_by_hand(view: View, report: RunReport) -> Mapping[str, Notice]:
    problems = [each for each in report.problems if is_by_hand(each, report)]
    notices = {}
    for trouble in of_problems(problems, report, view.policy):
        incident = _once(view, trouble.key, trouble.label, trouble.fact, trouble.severity)
        notices[f"{_EMPTY} {trouble.key}"] = Notice(
            reason=trouble.first_reason,
            incident=replace(incident, owners=trouble.owners),
            details=trouble.details,
        )
    return notices


def _never_judged(view: View, report: RunReport) -> Mapping[str, Notice]:
    return {
        f"{_SKIP} {result.id}": Notice(
            reason=Reason.SKIPPED, incident=_about(view, result, said(result)), result=result
        )
        for result in unallowed_skips(report, view.policy)
        if not was_judged(view.state, result.id)
    }


def _passing(view: View, report: RunReport) -> Mapping[str, Notice]:
    notices = {}
    for result in report.results:
        if result.outcome is Outcome.PASSED and result.known_issue:
            reference = one_line(result.known_issue.reference)
            incident = _about(view, result, f"passes, though {reference} is its known issue")
            notices[f"{_PASSES} {result.id} {reference}"] = Notice(
                reason=Reason.KNOWN_ISSUE_PASSES, incident=incident, result=result
            )
    return notices


def still_told(told: frozenset[str], report: RunReport, gone: Iterable[str]) -> frozenset[str]:
    """Return the marks that still stand: a check that was judged may be skipped anew."""
    judged = {each.id: each for each in report.results if each.outcome in JUDGED}
    removed = set(gone)
    empty = {f"{_EMPTY} {RUN}{each.kind}" for each in report.problems}

    def stands(mark: str) -> bool:
        kind, _, rest = mark.partition(" ")
        if kind == _EMPTY:
            return mark in empty
        if kind == _SKIP:
            return rest not in judged and rest not in removed
        owner = next((each for each in (*judged, *removed) if rest.startswith(f"{each} ")), None)
        if owner is None:
            return True
        known = judged[owner].known_issue if owner in judged else None
        return known is not None and rest == f"{owner} {one_line(known.reference)}"

    return frozenset(filter(stands, told))


def _about(view: View, result: CheckResult, fact: str) -> Incident:
    incident = _once(view, result.id, one_line(result.label), fact, Severity.WARNING)
    owners = (result.owner,) if result.owner else ()
    return replace(incident, outcome=result.outcome, owners=owners, markers=result.markers)


def _once(view: View, key: str, label: str, fact: str, severity: Severity) -> Incident:
    return Incident(
        id=identity(key, view.now),
        key=key,
        label=label,
        fact=fact,
        severity=severity,
        since=view.now,
        last_failure=view.now,
        told_at=view.now,
        told_severity=severity,
    )

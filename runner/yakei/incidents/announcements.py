"""Finds what is told once: runs that did not come, checks that vanished or were not judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from yakei.incidents.policy import Policy
from yakei.incidents.remembered import Incident, Notice, Reason, State
from yakei.incidents.troubles import MONITOR, is_complete
from yakei.report.tally import JUDGED
from yakei.results import CheckResult, Outcome, ProblemKind, RunReport, Severity
from yakei.words import counted, how_long, one_line, said, short_clock

_MISSED = 2
"""Intervals without a run; one may be late."""


def missed_runs(state: State, report: RunReport, policy: Policy, now: datetime) -> Iterable[Notice]:
    """Give that cron has not called us for a while, if so.

    The gap counts from the last run of any kind: one that was broken has been told as such.
    """
    last = state.last_run
    if report.partial or last is None or now - last <= _MISSED * policy.interval:
        return
    begin, end = short_clock(last, now, policy.zone), short_clock(now, now, policy.zone)
    fact = f"no run between {begin} and {end} ({how_long(now - last)})"
    incident = _once("run:missed", MONITOR, fact, Severity.WARNING, now)
    yield Notice(reason=Reason.MISSED_RUNS, incident=replace(incident, since=last))


def vanished(state: State, report: RunReport) -> tuple[str, ...]:
    """Return the ids of the last complete run that a complete run no longer knows."""
    if not is_complete(report):
        return ()
    known = {*report.collected, *report.not_due, *(result.id for result in report.results)}
    return tuple(check for check in state.population if check not in known)


def tell_vanished(checks: tuple[str, ...], now: datetime) -> Iterable[Notice]:
    """Give that checks are no longer in the suite, all in one."""
    if checks:
        more = f" and {len(checks) - 1} more" if len(checks) > 1 else ""
        fact = f"{counted(len(checks), 'check')} vanished from the suite: {checks[0]}{more}"
        incident = _once(f"run:{ProblemKind.VANISHED}", MONITOR, fact, Severity.CRITICAL, now)
        yield Notice(
            reason=Reason.VANISHED,
            incident=replace(incident, checks=checks),
            details="Means     nobody looks after this now; taken out on purpose, all is well\n"
            "Do        otherwise look at the last change of the checks and the configuration",
        )


def unallowed_skips(report: RunReport, policy: Policy) -> tuple[CheckResult, ...]:
    """Return the results of the checks that were skipped though nobody allowed it."""
    if any(each.kind is ProblemKind.EVERYTHING_SKIPPED for each in report.problems):
        return ()  # said once, of all of them
    skipped = (each for each in report.results if each.outcome is Outcome.SKIPPED)
    return tuple(each for each in skipped if not policy.allows_skip(each.id))


def tell_of_checks(
    state: State, report: RunReport, policy: Policy, now: datetime
) -> Mapping[str, Notice]:
    """Return what is to be said once about single checks, by the mark that it was said."""
    notices = {}
    for result in unallowed_skips(report, policy):
        incident = _about(result, said(result), now)
        notices[f"skip {result.id}"] = Notice(
            reason=Reason.SKIPPED, incident=incident, result=result
        )
    for result in report.results:
        if result.outcome is Outcome.PASSED and result.known_issue:
            reference = one_line(result.known_issue.reference)
            incident = _about(result, f"passes, though {reference} is its known issue", now)
            notices[f"passes {result.id} {reference}"] = Notice(
                reason=Reason.KNOWN_ISSUE_PASSES, incident=incident, result=result
            )
    return {mark: notice for mark, notice in notices.items() if mark not in state.told}


def still_told(state: State, report: RunReport, gone: Iterable[str]) -> frozenset[str]:
    """Return the marks that still stand: a check that was judged may be skipped anew."""
    judged = {each.id: each for each in report.results if each.outcome in JUDGED}
    removed = set(gone)

    def stands(mark: str) -> bool:
        kind, _, rest = mark.partition(" ")
        if kind == "skip":
            return rest not in judged and rest not in removed
        owner = next((each for each in (*judged, *removed) if rest.startswith(f"{each} ")), None)
        if owner is None:
            return True
        known = judged[owner].known_issue if owner in judged else None
        return known is not None and rest == f"{owner} {one_line(known.reference)}"

    return frozenset(filter(stands, state.told))


def _about(result: CheckResult, fact: str, now: datetime) -> Incident:
    incident = _once(result.id, one_line(result.label), fact, Severity.WARNING, now)
    return replace(incident, outcome=result.outcome)


def _once(key: str, label: str, fact: str, severity: Severity, now: datetime) -> Incident:
    return Incident(
        key=key,
        label=label,
        fact=fact,
        severity=severity,
        since=now,
        last_failure=now,
        told_at=now,
        told_severity=severity,
    )

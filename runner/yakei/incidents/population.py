"""Watches the suite itself: checks that vanish, that newly skip, and owners that lead nowhere."""

from __future__ import annotations

from collections.abc import Iterable

from yakei.incidents.policy import Policy
from yakei.incidents.remembered import Reason, State
from yakei.incidents.troubles import (
    MONITOR,
    RUN,
    SKIP,
    Trouble,
    is_complete,
    of_problems,
    owned_by,
)
from yakei.report.tally import JUDGED
from yakei.results import CheckResult, Outcome, Problem, ProblemKind, RunReport, Severity
from yakei.routes import About
from yakei.words import counted, one_line, said

VANISHED = f"{RUN}{ProblemKind.VANISHED}"


def vanished(state: State, report: RunReport) -> tuple[str, ...]:
    """Return the ids that a complete run no longer knows, but for those that were let go."""
    if not is_complete(report):
        return ()
    known = {*report.collected, *report.not_due, *(result.id for result in report.results)}
    gone = {*let_go(state, report)} | known
    return tuple(check for check in state.population if check not in gone)


def let_go(state: State, report: RunReport) -> tuple[str, ...]:
    """Return the ids of the vanished checks of which somebody has said that all is well so."""
    incident = state.incidents.get(VANISHED)
    if not is_complete(report) or incident is None or not incident.acknowledged:
        return ()
    known = {*report.collected, *report.not_due, *(result.id for result in report.results)}
    return tuple(check for check in incident.checks if check not in known)


def of_population(
    state: State, report: RunReport, gone: tuple[str, ...], policy: Policy
) -> tuple[Trouble, ...]:
    """Return what is wrong with the suite: all that vanished in one, and each new skip."""
    return (
        *_of_vanished(gone, policy),
        *of_problems(_dead_ends(report, policy), report, policy),
        *(_of_skip(each) for each in unallowed_skips(report, policy) if was_judged(state, each.id)),
    )


def unallowed_skips(report: RunReport, policy: Policy) -> tuple[CheckResult, ...]:
    """Return the results of the checks that were skipped though nobody allowed it."""
    if any(each.kind is ProblemKind.EVERYTHING_SKIPPED for each in report.problems):
        return ()  # said once, of all of them
    skipped = (each for each in report.results if each.outcome is Outcome.SKIPPED)
    return tuple(each for each in skipped if not policy.allows_skip(each.id))


def was_judged(state: State, check: str) -> bool:
    """Return whether a check has ever been judged."""
    return check in state.histories


def _of_vanished(checks: tuple[str, ...], policy: Policy) -> Iterable[Trouble]:
    if not checks:
        return
    more = f" and {len(checks) - 1} more" if len(checks) > 1 else ""
    yield Trouble(
        key=VANISHED,
        label=MONITOR,
        fact=f"{counted(len(checks), 'check')} vanished from the suite: {checks[0]}{more}",
        severity=Severity.CRITICAL,
        first_reason=Reason.VANISHED,
        checks=checks,
        owners=owned_by(policy),
        details="Means     nobody looks after this now\n"
        "Do        1. look at the last change of the checks and of the configuration\n"
        "          2. taken out on purpose? acknowledge it, and they are forgotten",
    )


def _of_skip(result: CheckResult) -> Trouble:
    return Trouble(
        key=f"{SKIP}{result.id}",
        label=one_line(result.label),
        fact=said(result),
        severity=Severity.WARNING,
        first_reason=Reason.SKIPPED,
        result=result,
        owners=(result.owner,) if result.owner else (),
        markers=result.markers,
    )


def _dead_ends(report: RunReport, policy: Policy) -> Iterable[Problem]:
    """Give each owner that a check names and no route does; what is told of it goes to all."""
    found: dict[str, list[str]] = {}
    for each in report.results:
        if each.owner and each.outcome in JUDGED:
            about = About(
                owners=(each.owner,),
                severity=each.severity,
                checks=(each.id,),
                markers=each.markers,
            )
            if policy.routing.is_dead_end(about):
                found.setdefault(each.owner, []).append(each.id)
    for owner, checks in found.items():
        yield Problem(
            kind=ProblemKind.ROUTES,
            text=f"owner {owner} leads nowhere: no route fits {counted(len(checks), 'check')}\n"
            f"Checks    {', '.join(checks)}\n"
            "Means     what is told of them goes to every notifier\n"
            f'Do        write [[routes]] with owner = "{owner}", or one with default = true',
        )

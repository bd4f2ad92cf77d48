"""Finds what is wrong in a report: one trouble for each cause, however many checks it keeps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from yakei.incidents.policy import Policy
from yakei.incidents.remembered import Reason
from yakei.report import REPAIRABLE
from yakei.report.tally import JUDGED
from yakei.results import CheckResult, Outcome, Problem, ProblemKind, RunReport, Severity, worst_of
from yakei.words import counted, one_line, said

MONITOR = "monitor"
"""What the run itself is called in messages."""
RUN, RESOURCE, SKIP = "run:", "resource:", "skip:"
"""How the keys begin of what is no failing check."""
_CUT_SHORT = {ProblemKind.CRASH, ProblemKind.DEADLINE}
"""What takes the turn of checks that had none: they belong to the run's trouble."""
_NOBODYS = _CUT_SHORT | {ProblemKind.CANARY}
"""What is one trouble of the run, and not one of each check that is not judged by it."""
_ONCE = {ProblemKind.SLOW, ProblemKind.ROUTES}
"""What may go on for weeks and harms nobody: there are no reminders of it."""
_HOLLOW = {ProblemKind.NOTHING_COLLECTED, ProblemKind.EVERYTHING_SKIPPED}
"""What somebody who asks for a part of the suite by hand may have asked for."""
_WHOLE = REPAIRABLE | {ProblemKind.HIDDEN}
"""What may be wrong with a run that knows of every check which pytest has to show."""
_FAILING = JUDGED - {Outcome.PASSED}


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """One cause, as this run saw it."""

    key: str
    label: str
    fact: str
    severity: Severity
    threshold: int = 1
    window: int | None = None
    """With it, so many of that many runs; without it, so many in a row."""
    first_reason: Reason = Reason.NEW
    """Why it is told when it is told first."""
    result: CheckResult | None = None
    checks: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    markers: tuple[str, ...] = ()
    muted: bool = False
    reminded: bool = True
    """Whether people are reminded of it."""
    details: str = ""

    @property
    def outcome(self) -> Outcome | None:
        """The check's outcome, when it is about one check."""
        return self.result.outcome if self.result else None


def find_troubles(report: RunReport, policy: Policy, now: datetime) -> tuple[Trouble, ...]:
    """Return what is wrong with the run, with resources and with checks, in this order."""
    blocked = [each for each in report.results if is_blocked(each)]
    cut_short = any(problem.kind in _NOBODYS for problem in report.problems)
    failing = (
        each
        for each in report.results
        if each.outcome in _FAILING
        or (each.outcome is Outcome.NOT_JUDGED and not each.unavailable and not cut_short)
    )
    problems = [each for each in report.problems if not is_by_hand(each, report)]
    return (
        *of_problems(problems, report, policy),
        *_of_resources([each for each in blocked if not _is_muted(each, policy, now)], policy),
        *(_of_check(each, policy, now) for each in failing),
    )


def is_blocked(result: CheckResult) -> bool:
    """Return whether a check was not judged because a resource cannot be had."""
    return result.outcome is Outcome.NOT_JUDGED and result.unavailable is not None


def is_complete(report: RunReport) -> bool:
    """Return whether the whole suite was collected and had its turn."""
    return not report.partial and all(each.kind in _WHOLE for each in report.problems)


def is_by_hand(problem: Problem, report: RunReport) -> bool:
    """Return whether a part was asked for in which there is nothing: it says nothing of the suite.

    It is told, and no incident, which only a run of the whole suite could close.
    """
    return report.partial and problem.kind in _HOLLOW


def owned_by(policy: Policy) -> tuple[str, ...]:
    """Return who owns what is about the run itself."""
    return (policy.owner,) if policy.owner else ()


def of_problems(
    problems: Iterable[Problem], report: RunReport, policy: Policy
) -> Iterable[Trouble]:
    """Give what is wrong with the run itself, all of a kind together."""
    executed = sum(result.outcome in JUDGED for result in report.results)
    cut_short = any(problem.kind in _CUT_SHORT for problem in report.problems)
    # one message for a release that breaks ten files
    for kind, same in groupby(sorted(problems, key=lambda each: each.kind), lambda one: one.kind):
        texts = [problem.text for problem in same]
        firsts = [one_line(text.partition("\n")[0]) for text in texts]
        broken = kind not in REPAIRABLE
        # Silence means success, so people must hear that nothing at all was looked at.
        unseen = broken and not executed and kind is not ProblemKind.CANARY
        dark = f"NOT RUNNING - 0 checks executed ({kind}): " if unseen else ""
        yield Trouble(
            key=f"{RUN}{kind}",
            label=MONITOR,
            fact=dark + _together(firsts, kind),
            severity=Severity.CRITICAL if broken else Severity.WARNING,
            first_reason=Reason.RUN_BROKEN if broken else Reason.NEW,
            owners=owned_by(policy),
            reminded=kind not in _ONCE,
            details=_details(texts, report, cut_short=cut_short and kind in _CUT_SHORT),
        )


def _together(firsts: Sequence[str], kind: ProblemKind) -> str:
    """Return the first lines of all problems of a kind as one fact."""
    return (
        firsts[0] if len(firsts) == 1 else f"{len(firsts)} problems ({kind}): {'; '.join(firsts)}"
    )


def _details(texts: Sequence[str], report: RunReport, *, cut_short: bool) -> str:
    """Return what follows the fact: the rest of one problem's text, or all of several."""
    parts = [texts[0].partition("\n")[2]] if len(texts) == 1 else list(texts)
    lost = [each.id for each in report.results if each.outcome is Outcome.NOT_JUDGED]
    if cut_short and lost:
        parts.insert(0, f"No turn   {counted(len(lost), 'check')} not judged: {', '.join(lost)}")
    return "\n".join(part for part in parts if part.strip())


def _of_resources(blocked: Sequence[CheckResult], policy: Policy) -> Iterable[Trouble]:
    needed: dict[str, list[CheckResult]] = {}
    for result in blocked:
        needed.setdefault(result.unavailable.resource if result.unavailable else "", []).append(
            result
        )
    for resource, results in needed.items():
        text = results[0].unavailable.reason if results[0].unavailable else ""
        reason, _, details = text.partition("\n")
        threshold, window = min(
            (_threshold(each, policy) for each in results),
            key=lambda each: (each[0], each[1] or 0),
        )
        yield Trouble(
            key=f"{RESOURCE}{resource}",
            label=one_line(resource),
            fact=f"{one_line(reason)}; {counted(len(results), 'check')} not judged",
            severity=worst_of(*(each.severity for each in results)),
            threshold=threshold,
            window=window,
            checks=tuple(each.id for each in results),
            owners=tuple(dict.fromkeys(each.owner for each in results if each.owner)),
            markers=tuple(dict.fromkeys(name for each in results for name in each.markers)),
            details=details,
        )


def _of_check(result: CheckResult, policy: Policy, now: datetime) -> Trouble:
    expired = result.known_issue and policy.has_come(result.known_issue, now)
    threshold, window = _threshold(result, policy)
    return Trouble(
        key=result.id,
        label=one_line(result.label),
        fact=said(result),
        severity=result.severity,
        threshold=threshold,
        window=window,
        first_reason=Reason.KNOWN_ISSUE_EXPIRED if expired else Reason.NEW,
        result=result,
        owners=(result.owner,) if result.owner else (),
        markers=result.markers,
        muted=_is_muted(result, policy, now),
    )


def _threshold(result: CheckResult, policy: Policy) -> tuple[int, int | None]:
    if result.failure_threshold:
        return result.failure_threshold, result.failure_window
    return policy.failure_threshold, policy.failure_window


def _is_muted(result: CheckResult, policy: Policy, now: datetime) -> bool:
    known = result.known_issue
    return known is not None and not policy.has_come(known, now)

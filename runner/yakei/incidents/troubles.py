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
from yakei.results import CheckResult, Outcome, ProblemKind, RunReport, Severity
from yakei.words import counted, one_line, said

MONITOR = "monitor"
"""What the run itself is called in messages."""
_CUT_SHORT = {ProblemKind.CRASH, ProblemKind.DEADLINE}
"""What takes the turn of checks that had none: they belong to the run's trouble."""
_NOBODYS = _CUT_SHORT | {ProblemKind.CANARY}
"""What is one trouble of the run, and not one of each check that is not judged by it."""
_FAILING = JUDGED - {Outcome.PASSED}


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """One cause, as this run saw it."""

    key: str
    label: str
    fact: str
    severity: Severity
    threshold: int = 1
    first_reason: Reason = Reason.NEW
    """Why it is told when it is told first."""
    result: CheckResult | None = None
    checks: tuple[str, ...] = ()
    muted: bool = False
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
    return (
        *_of_the_run(report, cut_short=cut_short),
        *_of_resources([each for each in blocked if not _is_muted(each, policy, now)], policy),
        *(_of_check(each, policy, now) for each in failing),
    )


def is_blocked(result: CheckResult) -> bool:
    """Return whether a check was not judged because a resource cannot be had."""
    return result.outcome is Outcome.NOT_JUDGED and result.unavailable is not None


def is_complete(report: RunReport) -> bool:
    """Return whether the whole suite was collected and had its turn."""
    return not report.partial and all(each.kind in REPAIRABLE for each in report.problems)


def _of_the_run(report: RunReport, *, cut_short: bool) -> Iterable[Trouble]:
    executed = sum(result.outcome in JUDGED for result in report.results)
    problems = sorted(report.problems, key=lambda each: each.kind)
    # one message for a release that breaks ten files
    for kind, same in groupby(problems, key=lambda each: each.kind):
        texts = [problem.text for problem in same]
        firsts = [one_line(text.partition("\n")[0]) for text in texts]
        broken = kind not in REPAIRABLE
        # Silence means success, so people must hear that nothing at all was looked at.
        unseen = broken and not executed and kind is not ProblemKind.CANARY
        dark = f"NOT RUNNING - 0 checks executed ({kind}): " if unseen else ""
        yield Trouble(
            key=f"run:{kind}",
            label=MONITOR,
            fact=dark + _together(firsts, kind),
            severity=Severity.CRITICAL if broken else Severity.WARNING,
            first_reason=Reason.RUN_BROKEN if broken else Reason.NEW,
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
        critical = any(each.severity is Severity.CRITICAL for each in results)
        yield Trouble(
            key=f"resource:{resource}",
            label=one_line(resource),
            fact=f"{one_line(reason)}; {counted(len(results), 'check')} not judged",
            severity=Severity.CRITICAL if critical else Severity.WARNING,
            threshold=min(_threshold(each, policy) for each in results),
            checks=tuple(each.id for each in results),
            details=details,
        )


def _of_check(result: CheckResult, policy: Policy, now: datetime) -> Trouble:
    expired = result.known_issue and policy.has_come(result.known_issue, now)
    return Trouble(
        key=result.id,
        label=one_line(result.label),
        fact=said(result),
        severity=result.severity,
        threshold=_threshold(result, policy),
        first_reason=Reason.KNOWN_ISSUE_EXPIRED if expired else Reason.NEW,
        result=result,
        muted=_is_muted(result, policy, now),
    )


def _threshold(result: CheckResult, policy: Policy) -> int:
    return result.failure_threshold or policy.failure_threshold


def _is_muted(result: CheckResult, policy: Policy, now: datetime) -> bool:
    known = result.known_issue
    return known is not None and not policy.has_come(known, now)

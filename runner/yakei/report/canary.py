"""Judges a run by its canary: where it was not seen to fail, no check's passing means anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from yakei.report.entries import mapping_of, read_entry, text_of
from yakei.results import CheckResult, Outcome, Problem, ProblemKind, RunReport
from yakei.words import cut, one_line
from yakei_shared.canary import CANARY, SONG
from yakei_shared.redaction import REDACTED

if TYPE_CHECKING:
    from yakei.report import PartReport

_MISSING = "it did not run"
_QUOTED = 100
"""Characters of a wrong text that are quoted."""
_ADVICE = f"""\
{CANARY} fails on purpose, before the checks of each run: silence is good news only as long as a
failure is seen. Checks that passed are taken as not judged until it is seen to fail again.
Do        1. look in conftest.py, and in plugins, for hooks that change reports, skip, or take
             items off the list: pytest_runtest_makereport, pytest_runtest_setup,
             pytest_runtest_protocol, pytest_collection_modifyitems
          2. have them leave alone what is no pytest.Function, or take them out
          3. call `yakei run` again: the log has a line with `canary` when it was seen to fail"""


def unheard(entry: Mapping[str, Any] | None) -> str:
    """Return what became of the canary; nothing when it failed as it should.

    Args:
        entry: its entry in the report, or in the journal; None when there is none.
    """
    result = read_entry(entry) if entry else None
    if entry is None or result is None:
        return _MISSING
    if result.outcome is not Outcome.FAILED:
        return f"it is reported as {result.outcome}"
    if result.fact != SONG and REDACTED not in result.fact:  # a password may be a word of it
        return f'it is reported to have failed with "{cut(one_line(result.fact), _QUOTED)}"'
    # Who changes reports after us deceives pytest, other plugins and every file but ours.
    by_pytest = text_of(mapping_of(entry.get("call")).get("outcome"))
    return "" if by_pytest == Outcome.FAILED else f"pytest reports it as {by_pytest or 'nothing'}"


def distrusted(report: RunReport, parts: Iterable[PartReport]) -> RunReport:
    """Return the report with the problem that failures were not seen, if they were not.

    Args:
        report: of all the processes that it took to run the suite.
        parts: what each of them told; each has a canary of its own.
    """
    found = dict.fromkeys(part.unheard for part in parts if _counts(part))
    return replace(report, problems=(*report.problems, *map(_problem, found)))


def without_false_comfort(report: RunReport) -> RunReport:
    """Return the report of a run with a dead canary with no check passed: nothing closes by it."""
    if all(each.kind is not ProblemKind.CANARY for each in report.problems):
        return report
    return replace(report, results=tuple(map(_doubted, report.results)))


def _counts(part: PartReport) -> bool:
    """Return whether a process owes us a canary that it has not shown.

    One that judged nothing had no use for it, and one that died may have done so before.
    """
    judged = any(each.outcome is not Outcome.SKIPPED for each in part.results)
    return bool(part.unheard) and judged and (part.ended or part.unheard != _MISSING)


def _problem(what: str) -> Problem:
    doubt = "what this run says of other checks cannot be trusted"
    text = f"the canary was not seen to fail: {what}; {doubt}\n{_ADVICE}"
    return Problem(kind=ProblemKind.CANARY, text=text)


def _doubted(result: CheckResult) -> CheckResult:
    if result.outcome is not Outcome.PASSED:
        return result
    fact = "it is said to have passed, but the canary was not seen to fail"
    return replace(result, outcome=Outcome.NOT_JUDGED, fact=fact, memory=None)

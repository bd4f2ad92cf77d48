"""Makes one report out of what pytest's processes left: whole reports, or a dead one's journal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from yakei.report.canary import unheard
from yakei.report.entries import read_entry, text_of
from yakei.report.pieces import damage, entries_of, read_journal, told_by_collectors
from yakei.results import CheckResult, Outcome, Problem, ProblemKind, RunReport
from yakei.words import counted, said
from yakei_shared.canary import CANARY
from yakei_shared.labels import label_of

BLIP = "blip: failed once, passed when run again"
BELATED = "belated: had no turn at first, passed when run again"
REPAIRABLE = frozenset(
    {
        ProblemKind.STATE,
        ProblemKind.LOG,
        ProblemKind.SURVIVORS,
        ProblemKind.SLOW,
        ProblemKind.ROUTES,
    }
)
"""What may be wrong with a run that has nevertheless judged the whole suite."""
_REASONS = 10
"""Reasons for skipping that are listed."""


@dataclass(frozen=True, kw_only=True)
class PartReport:
    """What one pytest process told of its run; a crash or a hang makes a run of several."""

    results: tuple[CheckResult, ...] = ()
    collected: tuple[str, ...] = ()
    not_due: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()
    """The ids of the checks that had begun and never ended: they ran when the process died."""
    problems: tuple[Problem, ...] = ()
    unheard: str = ""
    """What became of the canary, where it was not seen to fail as it should."""
    partial: bool = False
    ended: bool = True
    """Whether pytest came to its end: it wrote a report, or said in the journal that it ended."""


def read_attempt(
    report: Mapping[str, Any] | None, events: Iterable[Mapping[str, Any]]
) -> PartReport:
    """Return what one pytest process found out; damage becomes a problem, never an exception.

    Args:
        report: the document of pytest-json-report; None when the process died before it wrote one.
        events: the lines of the journal that this process wrote.
    """
    journal = read_journal(events)
    entries, problems = entries_of(report)
    whole = report is not None and not problems
    results = dict(journal.results)
    # `pytest.exit` in a check leaves an entry of its setup alone, which looks as if it had passed.
    cut_short = set(journal.started) - journal.results.keys()
    canary = journal.canary
    for entry in entries:
        if text_of(entry.get("nodeid")) == CANARY:
            canary = entry
            continue
        result = read_entry(entry)
        if result is None:
            problems.append(damage("an entry of pytest's report names no check", entry))
        elif result.id not in cut_short:
            results[result.id] = result
    found, broken = told_by_collectors(report)
    collected = tuple(dict.fromkeys((*(journal.collected or found), *results)))
    unfinished = tuple(dict.fromkeys(each for each in journal.started if each not in results))
    return PartReport(
        results=tuple(results[each] for each in collected if each in results),
        collected=collected,
        not_due=tuple(journal.not_due),
        unfinished=unfinished,
        problems=_once((*broken, *journal.problems, *problems)),
        unheard=unheard(canary),
        partial=journal.partial,
        ended=whole or journal.ended,
    )


def combine(
    parts: Sequence[PartReport],
    *,
    overrides: Iterable[CheckResult] = (),
    problems: Iterable[Problem] = (),
    partial: bool = False,
) -> RunReport:
    """Return one report of all the processes that it took to run the suite.

    A check that no process reported is `crashed` when it had begun, `not judged` when it had not,
    unless the one who watched the processes knows better.

    Args:
        parts: what the processes told, in their order.
        overrides: results of checks that pytest could not report; what it did report stands.
        problems: what the one who watched the processes found wrong.
        partial: whether only a part of the suite was asked for.
    """
    known = {result.id: result for result in overrides}
    found = (*(each for part in parts for each in part.problems), *problems)
    # Whoever watched the processes has said already why they died, if anything is known.
    if not any((*known, *problems)) and not all(part.ended for part in parts):
        found = (*found, _died(parts))
    # A later process may only have run what the earlier ones left; nothing is reported twice.
    reported = {result.id: result for part in parts for result in part.results}
    collected = tuple(dict.fromkeys(each for part in parts for each in part.collected))
    begun = {each for part in parts for each in part.unfinished}
    ids = dict.fromkeys((*collected, *begun, *known))
    results = tuple(reported.get(each) or known.get(each) or _lost(each, begun) for each in ids)
    # Each process collects the whole suite anew, hence the repetitions.
    not_due = tuple(dict.fromkeys(each for part in parts for each in part.not_due))
    return RunReport(
        results=tuple(_labelled(result) for result in results),
        collected=tuple(dict.fromkeys((*ids, *not_due))),
        not_due=not_due,
        problems=_once((*found, *_hollow(results, not_due, found))),
        partial=partial or any(part.partial for part in parts),
    )


def to_confirm(report: RunReport) -> tuple[str, ...]:
    """Return the ids of the checks to run once more: those that did not pass.

    One that had no turn, because of a crash or of another check that was stuck, gets one now.
    """
    return tuple(
        result.id
        for result in report.results
        if result.outcome not in {Outcome.PASSED, Outcome.SKIPPED}
    )


def confirmed(first: RunReport, second: RunReport) -> RunReport:
    """Return the first report with the results of the checks that were run once more.

    The second result replaces the first; what then passes is a blip. A result that says nothing
    about the check (skipped, no turn, cut off by the deadline) replaces none.
    """
    out_of_time = any(each.kind is ProblemKind.DEADLINE for each in second.problems)
    again = {each.id: each for each in second.results if _says_something(each, out_of_time)}
    results = tuple(_settled(each, again.get(each.id)) for each in first.results)
    # A confirmation that the deadline cut short has confirmed less, but the run had judged all.
    about_the_confirmation = {
        ProblemKind.DEADLINE,
        ProblemKind.EVERYTHING_SKIPPED,
        ProblemKind.NOTHING_COLLECTED,
    }
    found = (each for each in second.problems if each.kind not in about_the_confirmation)
    return replace(first, results=results, problems=_once((*first.problems, *found)))


def _says_something(result: CheckResult, out_of_time: bool) -> bool:  # noqa: FBT001 - private
    if result.outcome is Outcome.NOT_JUDGED:
        return result.unavailable is not None
    if result.outcome is Outcome.SKIPPED:
        return False
    return not (out_of_time and result.outcome is Outcome.TIMEOUT)


def _settled(first: CheckResult, second: CheckResult | None) -> CheckResult:
    if second is None or first.outcome is Outcome.PASSED:
        return first
    # The names of checks that were not run once more could not be told from mistakes there.
    second = replace(second, depends_on=first.depends_on or second.depends_on)
    if second.outcome is Outcome.PASSED:
        no_turn = first.outcome is Outcome.NOT_JUDGED and not first.unavailable
        note = BELATED if no_turn else BLIP
        return replace(second, notes=(*second.notes, note, f"it was: {said(first)}"))
    return second


def _lost(check: str, begun: set[str]) -> CheckResult:
    if check in begun:
        fact = "pytest died while this check ran"
        return CheckResult(id=check, outcome=Outcome.CRASHED, fact=fact)
    return CheckResult(id=check, outcome=Outcome.NOT_JUDGED, fact="the suite ended before its turn")


def _labelled(result: CheckResult) -> CheckResult:
    return result if result.label else replace(result, label=label_of(result.id))


def _died(parts: Sequence[PartReport]) -> Problem:
    last = next(part for part in reversed(parts) if not part.ended)
    running = f" while {', '.join(last.unfinished)} ran" if last.unfinished else ""
    done = f" after {len(last.results)} of {counted(len(last.collected), 'check')}"
    return Problem(kind=ProblemKind.CRASH, text=f"pytest ended without a report{running or done}")


def _hollow(
    results: Sequence[CheckResult], not_due: Sequence[str], found: Sequence[Problem]
) -> list[Problem]:
    """Return what is wrong with a run that has nothing to say and gives no reason for it."""
    if not_due or any(each.kind not in REPAIRABLE for each in found):
        return []
    if not results:
        text = "pytest found no check"
        return [Problem(kind=ProblemKind.NOTHING_COLLECTED, text=text)]
    if any(result.outcome is not Outcome.SKIPPED for result in results):
        return []
    reasons = [f"{result.id}: {said(result)}" for result in results]
    more = [f"and {len(reasons) - _REASONS} more"] if len(reasons) > _REASONS else []
    text = "\n".join(
        [f"{counted(len(results), 'check')} skipped, none judged", *reasons[:_REASONS], *more]
    )
    return [Problem(kind=ProblemKind.EVERYTHING_SKIPPED, text=text)]


def _once(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return the problems without repetitions: a second process meets the same broken file."""
    return tuple(dict.fromkeys(problems))

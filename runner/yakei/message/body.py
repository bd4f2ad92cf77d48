"""Lays out a message's body: one screen that tells all, then the output of what failed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from yakei.incidents.remembered import Notice, Reason
from yakei.message.facts import RunFacts
from yakei.message.lines import (
    LONGEST,
    acknowledge,
    blocked,
    changes,
    headline,
    people_and_steps,
    reproduce,
    row,
)
from yakei.report.tally import JUDGED, tally
from yakei.results import ProblemKind, RunReport
from yakei.words import clean, clock, counted, cut, cut_middle, one_line
from yakei_shared.durations import format_duration

_SCREEN = 45
"""Lines above the output: what is seen without scrolling."""
_ABOUT = 6
"""Lines of a check's details before what to do; the rest comes after it."""
_STEPS = 12
_ROWS = 15
_OUTPUT_LINES = 200
_OUTPUT_LINE = 1000
"""Characters of one line of the output."""
_BYTES = 60_000
"""What a body has at most: some relays and phones refuse or cut more."""
_NEVER = "There has been no complete run yet."
_STEP = re.compile(r"Do(?: NOT)?(?:\s{2,}|$)")
_LABELLED = re.compile(r"[A-Z][A-Za-z ]{7}  \S|pid \d+: ")
"""A line of our own making, as opposed to one of a traceback."""
_PLAIN = {"run:busy", "run:missed", f"run:{ProblemKind.LOG}", f"run:{ProblemKind.STATE}"}
"""What is about the run and never brings a traceback along."""


def body_of(notices: Sequence[Notice], report: RunReport, facts: RunFacts, now: datetime) -> str:
    """Return the whole body, at most 60 kB of UTF-8.

    Args:
        notices: what is told, worst first.
        report: the run that found it.
        facts: about the run and its host.
        now: the time that ages are counted to.
    """
    foot = ["", *_last_complete(notices, facts, now), _run_line(report, facts)]
    top, below = _top(notices, facts, now, room=_SCREEN - len(foot))
    told = "\n".join(cut(clean(line), 2 * LONGEST) for line in (*top, *foot))
    output = [*below, *_outputs(notices, room=_OUTPUT_LINES - len(below))]
    if not output:
        return f"{told}\n"
    left = _BYTES - len(told.encode()) - len("\n\n\n")
    written = cut_middle("\n".join(output), left)
    return f"{told}\n\n{written}\n"


def _top(
    notices: Sequence[Notice], facts: RunFacts, now: datetime, room: int
) -> tuple[list[str], list[str]]:
    """Return the lines of the first screen, and those that it had no room for."""
    if len(notices) + len(facts.still_failing) == 1:
        lines = _block(notices[0], facts, now)
        return _split(lines, room)
    lines = _rows(notices, facts, now)
    in_full = [each for each in notices if each.reason is not Reason.REMINDER] or notices[:1]
    for notice in in_full:
        lines += ["", *_block(notice, facts, now)]
    return _split(lines, room)


def _split(lines: list[str], room: int) -> tuple[list[str], list[str]]:
    if len(lines) <= room:
        return lines, []
    rest = lines[room - 1 :]
    return [*lines[: room - 1], f"… {counted(len(rest), 'more line')} below"], rest


def _rows(notices: Sequence[Notice], facts: RunFacts, now: datetime) -> list[str]:
    """Return one line for each thing that is told or goes on failing."""
    rows = [row(each.incident, each.reason, facts, now) for each in notices]
    rows += [row(each, Reason.REMINDER, facts, now) for each in facts.still_failing]
    if len(rows) <= _ROWS:
        return rows
    return [*rows[: _ROWS - 1], f"… and {len(rows) - _ROWS + 1} more; all are in the log"]


def _block(notice: Notice, facts: RunFacts, now: datetime) -> list[str]:
    """Return all that is said about one thing, what to do within the first twenty lines."""
    about, steps = _details(notice)
    # Details may be long: the runbook and what to do come before the rest of them.
    known = [*people_and_steps(notice.result)] if notice.result else []
    lines = [
        headline(notice, facts, now),
        *about[:_ABOUT],
        *blocked(notice),
        *changes(notice, facts, now),
        *known,
        *steps[:_STEPS],
        *reproduce(notice, facts),
        *acknowledge(notice, facts),
        *about[_ABOUT:],
        *steps[_STEPS:],
    ]
    if notice.result and notice.result.location and notice.reason is not Reason.RECOVERED:
        lines.append(f"At        {one_line(notice.result.location)}")
    return lines


def _details(notice: Notice) -> tuple[list[str], list[str]]:
    """Return the lines about what is wrong, and those that say what to do."""
    lines = _lines(notice.result.details if notice.result else notice.details)
    if _may_have_a_traceback(notice):  # a traceback belongs to the output
        lines = [each for each in lines if _LABELLED.match(each) or _is_continuation(each, lines)]
    first = next((i for i, line in enumerate(lines) if _STEP.match(line)), len(lines))
    return lines[:first], lines[first:]


def _is_continuation(line: str, lines: Sequence[str]) -> bool:
    """Return whether a line goes on with numbered steps under a `Do`."""
    return any(_STEP.match(each) for each in lines) and line.startswith(" " * 10)


def _may_have_a_traceback(notice: Notice) -> bool:
    key = notice.incident.key
    return notice.result is None and key.startswith("run:") and key not in _PLAIN


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in clean(text).split("\n") if line.strip()]


def _outputs(notices: Sequence[Notice], room: int) -> list[str]:
    """Return what the failed checks and the broken run have written, a fair part of each."""
    told = [(_title(each), _output(each)) for each in notices]
    # The room is shared, or the first of ten failures would leave the others none.
    told = [(title, lines) for title, lines in told if lines]
    lines: list[str] = []
    for title, output in told:
        share = max(room // len(told) - 2, 2)
        lines += ["", f"----- {title} -----", *_head_and_tail(output, share)]
    return lines[1:]


def _title(notice: Notice) -> str:
    return cut(one_line(notice.incident.key.removeprefix("run:")), LONGEST)


def _output(notice: Notice) -> list[str]:
    if notice.reason is Reason.REMINDER:
        return []  # it was in the first message, and is in the log
    if notice.result:
        return clean(notice.result.output).strip("\n").split("\n") if notice.result.output else []
    if not _may_have_a_traceback(notice):
        return []
    shown = {line for part in _details(notice) for line in part}
    return [line for line in _lines(notice.details) if line not in shown]


def _head_and_tail(lines: Sequence[str], most: int) -> list[str]:
    short = [cut(line, _OUTPUT_LINE) for line in lines]
    if len(short) <= most:
        return short
    head, tail = most // 2, most - most // 2 - 1
    left_out = f"… {counted(len(short) - head - tail, 'line')} left out; all are in the log …"
    return [*short[:head], left_out, *short[len(short) - tail :]]


def _last_complete(notices: Iterable[Notice], facts: RunFacts, now: datetime) -> Iterable[str]:
    """Give what was known before, when the monitoring itself is not running."""
    if any(each.reason is Reason.RUN_BROKEN for each in notices):
        last = facts.last_complete
        known = last and f"Last complete run {clock(last.at, now, facts.zone)} ({last.summary})."
        yield (
            f"{known or _NEVER} "
            "What is not judged and fails from now on goes unseen until this is fixed."
        )


def _run_line(report: RunReport, facts: RunFacts) -> str:
    """Return the run in one line: `4 checks: 1 failed, 3 passed in 0.5 s. Full log: …`."""
    summary = tally(report.results, len(report.not_due))
    judged = any(result.outcome in JUDGED for result in report.results)
    took = f" in {format_duration(facts.duration)}" if judged else ""
    log = f" Full log: {one_line(facts.log)}" if facts.log else ""
    return f"{summary}{took}.{log} (run {one_line(facts.run_id)})"

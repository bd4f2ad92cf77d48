"""Has the suite judged: runs it, reads what it left, and runs once more what did not pass."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

from yakei.execution.plan import Plan
from yakei.execution.suite import SuiteRun, run_suite
from yakei.report import combine, confirmed, read_attempt, to_confirm
from yakei.report.canary import distrusted, without_false_comfort
from yakei.results import Problem, ProblemKind, RunReport
from yakei.runlog import RunLog

_LOOK = 0.1
"""Seconds between two moments at which somebody who looks on sees the time go by."""


def judge(plan: Plan, *, confirm_after: timedelta, partial: bool, log: RunLog) -> RunReport:
    """Run the plan's checks, and those that did not pass once more, within the plan's deadline.

    Args:
        plan: what to run.
        confirm_after: how long to wait before the second look; nothing means that there is none.
        partial: whether only a part of the suite was asked for.
        log: takes all that pytest said.

    Raises:
        OSError: the run's folder cannot be written.
        Terminated: this process was told to end.
    """
    report = _read(run_suite(plan), partial=partial, log=log)
    failing = to_confirm(report)
    report = without_false_comfort(report)
    pause = confirm_after.total_seconds()
    again = plan.once_more(failing)
    if again.paths and pause and pause < plan.deadline.left():
        _wait(pause, plan, len(failing))
        report = _look_again(report, again, log)
    for result in report.results:
        for note in result.notes:
            log.write(f"{result.id}: {note}\n")
    return report


def _look_again(report: RunReport, plan: Plan, log: RunLog) -> RunReport:
    """Return the report with what a second look has found; without one, the first stands."""
    try:
        again = _read(run_suite(plan), partial=True, log=log)
    except OSError as error:
        text = f"what did not pass could not be run once more: {error}"
        problem = Problem(kind=ProblemKind.CRASH, text=text)
        return replace(report, problems=(*report.problems, problem))
    return confirmed(report, without_false_comfort(again))


def _wait(seconds: float, plan: Plan, checks: int) -> None:
    if not plan.watch:
        time.sleep(seconds)
        return
    plan.watch([{"event": "confirming", "after": seconds, "checks": checks}])
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        time.sleep(min(left, _LOOK))
        plan.watch(())


def _read(suite: SuiteRun, *, partial: bool, log: RunLog) -> RunReport:
    for attempt in suite.attempts:
        log.copy(attempt.output_file)
    parts = [read_attempt(attempt.report, attempt.events) for attempt in suite.attempts]
    report = combine(parts, overrides=suite.overrides, problems=suite.problems, partial=partial)
    return distrusted(report, parts)

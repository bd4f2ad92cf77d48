"""Runs the checks in a process of their own, so that none of them can take the runner with it."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from yakei.execution.copied import Module
from yakei.execution.endings import (
    Attempt,
    Ending,
    Verdict,
    no_turn,
    out_of_time,
    verdict,
)
from yakei.execution.family import Family
from yakei.execution.journal import Event, Journal, Progress
from yakei.execution.left_behind import LeftBehind
from yakei.execution.plan import Plan, pytest_arguments, pytest_environment, source_roots
from yakei.execution.processes import Deadline, command_line, started_by
from yakei.execution.stacks import ask_for_stacks, stacks_in
from yakei.results import CheckResult, Outcome, Problem, ProblemKind
from yakei.runlog import excerpt_of

_POLL = 0.1
"""Seconds between two looks at the journal."""
_STUCK_GRACE = 1.0
"""Seconds between TERM and KILL for a process that did not even hear pytest-timeout's signal."""
_DEADLINE_GRACE = 1.0
"""The same after the deadline, so that everything is over two seconds after it."""
_SETTLE = 0.5
"""Seconds for what ends with its parent by itself, as multiprocessing's resource tracker does."""
_SURVIVOR_GRACE = 2.0
"""Seconds between TERM and KILL for what checks left behind."""
_LINGER = 5.0
"""Seconds that pytest may take to end after it has written its last line."""


class SuiteRun(NamedTuple):
    """What the processes of one run left: raw pieces, and what only the runner could see."""

    attempts: tuple[Attempt, ...]
    """One for each pytest process, in order."""
    overrides: tuple[CheckResult, ...]
    """The checks that pytest could not report: `timeout`, `crashed` and `not judged`."""
    problems: tuple[Problem, ...]


def run_suite(plan: Plan) -> SuiteRun:
    """Run the checks of a plan to the end, in as many processes as it takes.

    A process that dies, or has to be ended because a check is stuck, costs the checks that ran in
    it; those that had no turn are run by the next process. So does one that dies or is stuck while
    it imports a file, which the next process leaves out.

    Raises:
        OSError: the run's folder cannot be written.
        Terminated: under `terminating()`, when this process was told to end; the children are gone.
    """
    plan.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if plan.only:
        plan.chosen.write_text(json.dumps(plan.only), encoding="utf-8")
    attempts: list[Attempt] = []
    verdicts: list[Verdict] = []
    progress = Progress()
    with Journal(plan.journal) as journal:
        while True:
            known, fatal = len(progress.outcomes), len(progress.fatal)
            try:
                attempts.append(_run_process(plan, len(attempts) + 1, journal, progress))
            except OSError as error:
                if not attempts:
                    raise
                verdicts.append(_not_gone_on(progress, error))
                break
            found = verdict(attempts[-1], progress, plan.deadline.length, plan.timeout)
            verdicts.append(found)
            progress.settle({each.id: each.outcome for each in found.overrides})
            if plan.watch:
                missing = (
                    each for each in found.overrides if each.outcome is not Outcome.NOT_JUDGED
                )
                plan.watch(map(_as_event, missing))
            more_fatal = len(progress.fatal) > fatal
            if not progress.waiting and not (more_fatal and plan.deadline.left()):
                break
            if not plan.deadline.left():
                verdicts.append(out_of_time(progress, plan.deadline.length, time.monotonic()))
                break
            if (
                len(progress.outcomes) == known and not more_fatal
            ):  # the next process would do no better
                verdicts.append(no_turn(progress, "pytest could not go on after an earlier check"))
                break
    return SuiteRun(
        attempts=tuple(attempts),
        overrides=tuple(each for found in verdicts for each in found.overrides),
        problems=tuple(each for found in verdicts for each in found.problems),
    )


def _not_gone_on(progress: Progress, error: OSError) -> Verdict:
    """Return that there is no further process; what the earlier ones have judged counts."""
    text = f"pytest could not be started again: {error}"
    problem = Problem(kind=ProblemKind.CRASH, text=text)
    return no_turn(progress, text)._replace(problems=(problem,))


def _as_event(result: CheckResult) -> Event:
    """Return a result that pytest could not report as the line of the journal that is missing."""
    told = {"yakei": {"outcome": str(result.outcome), "fact": result.fact}}
    return {"event": "finished", "test": {"nodeid": result.id, "metadata": told}}


def _run_process(plan: Plan, number: int, journal: Journal, progress: Progress) -> Attempt:
    output, stacks = plan.file(number, "output.txt"), plan.file(number, "stacks.txt")
    events: list[Event] = []
    overdue: frozenset[str] = frozenset()
    progress.settle({})  # this process may die before it has written a line

    def learn() -> None:
        new = [event for event in journal.read() if not overdue or _finished(event) not in overdue]
        progress.learn(new)
        events.extend(new)
        if plan.watch:
            plan.watch(new)

    with (
        output.open("wb") as file,
        Family(
            _command(plan, number),
            output=file.fileno(),
            folder=plan.root,
            environment=pytest_environment(os.environ),
        ) as family,
    ):
        ending = Ending.BY_ITSELF
        while family.poll() is None:
            family.wait(min(_POLL, plan.deadline.left()))
            learn()
            if family.poll() is None and (reason := _reason_to_end(plan, progress)):
                ending = reason
                # Judged before it is asked for its stacks: that signal wakes what waits in C, and
                # a check that goes on because of it has not passed.
                overdue = _overdue(plan, progress)
                ask_for_stacks(family, stacks)
                break
        at = time.monotonic()
        left_behind = _clear(family, ending, plan.deadline)
        exit_code = family.final_code
    learn()
    return Attempt(
        ending=ending,
        exit_code=exit_code,
        report=_read_report(plan.file(number, "report.json")),
        events=tuple(events),
        output=excerpt_of(output),
        output_file=output,
        at=at,
        stacks=stacks_in(stacks),
        left_behind=left_behind,
    )


def _command(plan: Plan, number: int) -> list[str] | Module:
    """Return what starts pytest: a copy of this process is quicker, where there may be one."""
    arguments = pytest_arguments(plan, number)
    if plan.spare and (copy := plan.spare.take()):
        return Module(copy=copy, name="pytest", arguments=arguments, roots=source_roots())
    return [sys.executable, "-m", "pytest", *arguments]


def _reason_to_end(plan: Plan, progress: Progress) -> Ending | None:
    now = time.monotonic()
    if not plan.deadline.left():
        return Ending.DEADLINE
    if _overdue(plan, progress):
        return Ending.STUCK
    if progress.collecting and now > progress.collecting_since + plan.import_timeout:
        return Ending.STUCK
    if progress.ended and now > progress.ended + _LINGER:
        return Ending.LINGERED
    return None


def _overdue(plan: Plan, progress: Progress) -> frozenset[str]:
    """Return the ids of the checks that run beyond their timeout, or beyond the deadline."""
    if not plan.deadline.left():
        return frozenset(progress.running)
    now = time.monotonic()
    return frozenset(
        check.nodeid
        for check in progress.running.values()
        # By the clock that nobody sets, from when we heard of it: at most a poll too late.
        if now > check.noticed + (check.timeout or plan.timeout) + plan.grace
    )


def _finished(event: Event) -> str:
    """Return the id of the check whose end an event tells; empty for other events."""
    match event:
        case {"event": "finished", "test": {"nodeid": str(nodeid)}}:
            return nodeid
    return ""


def _clear(family: Family, ending: Ending, deadline: Deadline) -> tuple[LeftBehind, ...]:
    """End what still runs; return what a pytest that ended by itself has left behind."""
    if ending is not Ending.BY_ITSELF:
        family.end(_DEADLINE_GRACE if ending is Ending.DEADLINE else _STUCK_GRACE)
        return ()
    family.await_end(_SETTLE)
    # Named before they are ended: afterwards nobody can say what they were.
    found = [
        LeftBehind(pid=each.pid, command=command_line(each.pid), check=started_by(each.pid))
        for each in family.members()
    ]
    # Also when the deadline is near, all is over two seconds after it.
    grace = min(_SURVIVOR_GRACE, 1.0 + deadline.left())
    immortal = {each.pid for each in family.end(grace)} if found else set()
    return tuple(each._replace(ended=each.pid not in immortal) for each in found)


def _read_report(path: Path) -> Mapping[str, Any] | None:
    try:
        report = json.loads(path.read_bytes())
    except (OSError, ValueError):  # not written, or not to its end
        return None
    return report if isinstance(report, dict) else None

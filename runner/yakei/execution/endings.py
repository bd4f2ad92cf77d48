"""How a pytest process ended, and what that means for its checks: pure, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from signal import SIGKILL
from typing import Any, NamedTuple

from yakei.execution.journal import Progress, Running
from yakei.execution.left_behind import LeftBehind, survivors
from yakei.execution.output import (
    how_it_ended,
    imported_line,
    joined,
    last_words,
    own_error,
    usage_problem,
)
from yakei.results import CheckResult, Outcome, Problem, ProblemKind
from yakei_shared.durations import format_duration

_ALL_HAD_THEIR_TURN = {0, 1, 6}  # pytest's exit codes; 6: too many warnings, after the last check
_SOME_FAILED = 1
_USAGE_ERROR = 4
_WELL = {"passed", "skipped", "xfailed", "xpassed"}
_WAITS_FOR_THREADS = " in _shutdown"
"""What a stack has of `threading` when Python itself has nothing left to do."""
_NOTHING_COLLECTED = 5


class Ending(StrEnum):
    """Who ended a pytest process, and why."""

    BY_ITSELF = "by itself"
    """It ended or died, whatever its exit code."""
    STUCK = "stuck"
    """We ended it: a check was far beyond its timeout."""
    LINGERED = "lingered"
    """We ended it: all was judged and reported, and a thread kept it running."""
    DEADLINE = "deadline"
    """We ended it: the time for the whole run was over."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One pytest process and all that it left."""

    ending: Ending
    exit_code: int
    """Negative for a signal."""
    report: Mapping[str, Any] | None
    """pytest-json-report's; None when there is none or it is not whole."""
    events: tuple[dict[str, Any], ...]
    """The lines of the journal that this process wrote."""
    output: str
    """stdout and stderr; the middle of a long one is left out."""
    output_file: Path
    """All of it."""
    at: float
    """When it ended, as time.monotonic() counts."""
    stacks: str = ""
    """Where the process was when we ended it."""
    left_behind: tuple[LeftBehind, ...] = ()


class Verdict(NamedTuple):
    """What the ending of a process means."""

    overrides: tuple[CheckResult, ...] = ()
    """The checks that pytest could not report itself."""
    problems: tuple[Problem, ...] = ()


def verdict(attempt: Attempt, progress: Progress, length: timedelta, timeout: float) -> Verdict:
    """Return what the ending of a process means for its checks and for the run.

    Args:
        attempt: the process.
        progress: all that this and the earlier processes of the run have done.
        length: the deadline's.
        timeout: the usual limit for one check, in seconds.
    """
    if attempt.ending is Ending.DEADLINE:
        return out_of_time(progress, length, attempt.at, attempt.stacks)
    running = tuple(progress.running.values())
    if attempt.ending is Ending.STUCK:
        overrides = tuple(_stuck(check, attempt, timeout) for check in running)
    else:
        overrides = tuple(_crashed(check, attempt) for check in running)
    # What died with a check is that check's outcome; the run goes on without it.
    problem = None if running else _problem(attempt, progress)
    if progress.collecting and not running:
        problem = _fatal_import(attempt, progress)
    found = [problem, survivors(attempt.left_behind)]
    return Verdict(overrides=overrides, problems=tuple(each for each in found if each))


def out_of_time(progress: Progress, length: timedelta, now: float, stacks: str = "") -> Verdict:
    """Return what the deadline means: what ran is a timeout, what waited is not judged."""
    by_deadline = f"the deadline of {format_duration(length)}"
    place = f" {progress.collecting}" if progress.collecting else imported_line(stacks)
    text = f"{by_deadline} ended the run while pytest was still collecting{place}"
    if progress.collected:
        done = f"{len(progress.outcomes)} of {len(progress.collected)} checks had ended"
        text = f"{by_deadline} ended the run when {done}"
    overrides = []
    for check in progress.running.values():
        age = format_duration(max(0.0, now - check.noticed))  # it was noticed while we ended
        text += f"; {check.nodeid} had run for {age}"
        fact = f"still running after {age} when {by_deadline} ended the run"
        own = "" if check.worker else stacks  # in slots they are those of pytest's parent
        ended = _result(check, now, Outcome.TIMEOUT, fact, output=own)
        overrides.append(replace(ended, cut_off=True))
    waiting = no_turn(progress, f"{by_deadline} came before its turn").overrides
    problem = Problem(kind=ProblemKind.DEADLINE, text=joined(text, "" if overrides else stacks))
    return Verdict(overrides=(*overrides, *waiting), problems=(problem,))


def no_turn(progress: Progress, reason: str) -> Verdict:
    """Return that the checks which still wait are not judged."""
    return Verdict(
        overrides=tuple(
            CheckResult(id=nodeid, outcome=Outcome.NOT_JUDGED, fact=reason)
            for nodeid in progress.waiting
        )
    )


def _stuck(check: Running, attempt: Attempt, usual: float) -> CheckResult:
    timeout = check.timeout or usual
    if attempt.at < check.noticed + timeout:
        fact = "its process was ended because another check was stuck in it"
        return _result(check, attempt.at, Outcome.NOT_JUDGED, fact)
    fact = f"timed out after {format_duration(timeout)}; its process had to be ended"
    details = "Python could not interrupt it: it waits or computes in C code."
    return _result(check, attempt.at, Outcome.TIMEOUT, fact, details=details, output=attempt.stacks)


def _crashed(check: Running, attempt: Attempt) -> CheckResult:
    manner = how_it_ended(attempt.exit_code) if attempt.ending is Ending.BY_ITSELF else "ended"
    fact = f"process {manner} while this check ran"
    killed = attempt.exit_code == -SIGKILL
    hint = "Often the kernel's out-of-memory killer: see dmesg." if killed else ""
    words = last_words(attempt.output)
    return _result(check, attempt.at, Outcome.CRASHED, fact, details=hint, output=words)


def _result(
    check: Running,
    now: float,
    outcome: Outcome,
    fact: str,
    *,
    details: str = "",
    output: str = "",
) -> CheckResult:
    return CheckResult(
        id=check.nodeid,
        outcome=outcome,
        fact=fact,
        details=details,
        started=datetime.fromtimestamp(check.at, UTC),
        duration=max(0.0, now - check.noticed),
        output=output,
    )


def _problem(attempt: Attempt, progress: Progress) -> Problem | None:
    """Return what is wrong with the run; what is wrong with a check is its own outcome."""
    if attempt.ending is Ending.LINGERED:
        text = "pytest had judged everything and did not end"
        if _WAITS_FOR_THREADS in attempt.stacks:
            text += ": a thread is still running"
        return Problem(kind=ProblemKind.SURVIVORS, text=joined(text, attempt.stacks))
    if attempt.ending is Ending.STUCK:
        return None
    told = any(event.get("event") == "problem" for event in attempt.events)
    if attempt.exit_code == _USAGE_ERROR:
        return None if told else usage_problem(last_words(attempt.output))
    if attempt.exit_code == _NOTHING_COLLECTED and progress.ended:
        # Also the code of a run in which no check is due, or none is left to resume with.
        nothing = not (told or progress.collected or progress.not_due or progress.fatal)
        text = "pytest found no check"
        return Problem(kind=ProblemKind.NOTHING_COLLECTED, text=text) if nothing else None
    # A session that `pytest.exit(returncode=0)` cut short reports success for what it never ran.
    whole = progress.ended and attempt.report is not None and not progress.waiting
    if whole and attempt.exit_code in _ALL_HAD_THEIR_TURN:
        return None if told or attempt.exit_code != _SOME_FAILED else _untold_failure(attempt)
    return _crash_problem(attempt, progress)


def _untold_failure(attempt: Attempt) -> Problem | None:
    """Return that pytest has counted a failure of which no check tells, if that is so."""
    tests = (each["test"] for each in attempt.events if each.get("event") == "finished")
    if any(test.get("outcome") not in _WELL for test in tests):
        return None
    text = "pytest ended with 1, and no check tells of a failure: did a hook of the suite set that?"
    return Problem(kind=ProblemKind.CRASH, text=text)


def _fatal_import(attempt: Attempt, progress: Progress) -> Problem:
    """Return that a file, or a folder's conftest.py, could not be imported, and that it did it."""
    if attempt.ending is Ending.STUCK:
        age = format_duration(attempt.at - progress.collecting_since)
        manner = f"importing it had not ended after {age}"
    else:
        ended, error = how_it_ended(attempt.exit_code), own_error(attempt.output)
        manner = f"pytest {ended} while importing it{error}"
    text = f"{progress.collecting} is not checked: {manner}"
    words = attempt.stacks or last_words(attempt.output)
    return Problem(kind=ProblemKind.COLLECTION, text=joined(text, words))


def _crash_problem(attempt: Attempt, progress: Progress) -> Problem:
    ended = how_it_ended(attempt.exit_code)
    text = f"pytest {ended} before any check ran{imported_line(attempt.stacks)}"
    if progress.collected:
        done = f"{len(progress.outcomes)} of {len(progress.collected)} checks"
        text = f"pytest {ended} after {done}"
    if not progress.ended or attempt.report is None:
        text += " and wrote no report"
    if not attempt.events:
        text += "; it had not begun to collect: is it a conftest.py?"
    words = last_words(attempt.output) or attempt.stacks
    return Problem(kind=ProblemKind.CRASH, text=joined(text + own_error(attempt.output), words))

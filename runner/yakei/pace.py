"""Says how much of its interval a run takes, and which checks take the longest: pure, no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

from yakei.results import CheckResult, Problem, ProblemKind
from yakei.words import one_line
from yakei_shared.durations import format_duration
from yakei_shared.labels import label_of

SLOW_KEY = f"run:{ProblemKind.SLOW}"
"""The key of the incident that a suite is slow."""
_MOST = 0.5
"""Of the interval: beyond it one slow day of anything that is watched costs the next run."""
_QUICK_AGAIN = 0.4
"""What was slow is over when it is clearly less, or a suite around the half is told each hour."""
_NAMED = 3
_MEANS = """\
Means     a run that takes longer than the interval keeps the next one from starting
Do        yakei status names the slowest checks; [run] slots = 16 runs that many at once, and
          @pytest.mark.every("1d") runs a heavy one once a day"""


class SlowCheck(NamedTuple):
    """A check of a run, with the time it took."""

    id: str
    seconds: float
    usual: float | None = None
    """The median of the runs before; None when there were none."""


class Pace(NamedTuple):
    """How a run went."""

    took: timedelta
    slowest: tuple[SlowCheck, ...] = ()
    """The slowest first."""


def describe_pace(pace: Pace, interval: timedelta) -> tuple[str, ...]:
    """Return the lines of `yakei status` about a run's time."""
    rows = [_row(each) for each in pace.slowest]
    slowest = "; slowest:" if rows else ""
    return (f"it took {_share(pace.took, interval)}{slowest}", *rows)


def slow_suite(
    results: Iterable[CheckResult], took: timedelta, interval: timedelta, *, known: bool
) -> tuple[Problem, ...]:
    """Return that a whole run took too much of its interval, if it did.

    Args:
        results: the run's.
        took: how long the run took.
        interval: how often the suite runs.
        known: whether it was slow before, so that it has to be clearly quicker to be well.
    """
    if took <= interval * (_QUICK_AGAIN if known else _MOST):
        return ()
    slowest = sorted(results, key=lambda each: -each.duration)[:_NAMED]
    named = ", ".join(
        f"{one_line(label_of(each.id))} {format_duration(each.duration)}" for each in slowest
    )
    text = f"took {_share(took, interval)}; slowest: {named}\n{_MEANS}"
    return (Problem(kind=ProblemKind.SLOW, text=text),)


def _share(took: timedelta, interval: timedelta) -> str:
    return (
        f"{format_duration(took)} of {format_duration(interval)} ({took / interval:.0%})".replace(
            "%", " %"
        )
    )


def _row(check: SlowCheck) -> str:
    usual = f", usually {format_duration(check.usual)}" if check.usual is not None else ""
    return f"{format_duration(check.seconds):>10}  {one_line(check.id)}{usual}"

"""What the exit code of `yakei run` says; crontabs and dashboards rely on it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from yakei.results import Problem


class ExitCode(IntEnum):
    """Never 0 unless the whole suite reported."""

    WELL = 0
    FAILING = 1
    """Some check is failing."""
    USAGE = 2
    """Bad usage or configuration."""
    BROKEN = 3
    """A crash, no report, nothing collected, a file that does not import, a vanished check."""
    UNDELIVERED = 75
    """Something is wrong and no channel took the message; the text is on stdout."""
    BUSY = 111
    """The lock is held by another run."""
    DEADLINE = 124


def exit_code(
    problems: Iterable[Problem], *, failing: bool, broken: bool, undelivered: bool
) -> ExitCode:
    """Return the code of a run; where several apply, the order is 2, 75, 124, 3, 1.

    Args:
        problems: what was wrong with the run itself.
        failing: whether a check is failing.
        broken: whether the run is broken in any way.
        undelivered: whether a message waits that no channel took.
    """
    from yakei.results import ProblemKind  # the command line knows the codes before it knows more

    kinds = {problem.kind for problem in problems}
    if ProblemKind.CONFIGURATION in kinds:
        return ExitCode.USAGE
    if undelivered:
        return ExitCode.UNDELIVERED
    if ProblemKind.DEADLINE in kinds:
        return ExitCode.DEADLINE
    if broken:
        return ExitCode.BROKEN
    return ExitCode.FAILING if failing else ExitCode.WELL

"""Processes that checks have left running, as they are told of."""

from __future__ import annotations

from typing import NamedTuple

from yakei.results import Problem, ProblemKind


class LeftBehind(NamedTuple):
    """A process that outlived the pytest that it came from."""

    pid: int
    command: str
    check: str
    """The id of the check that started it; empty when not known."""
    ended: bool = True
    """False when even KILL did not help: uninterruptible sleep."""

    def __str__(self) -> str:
        """Return the line of it in a message."""
        origin = f", started by {self.check}" if self.check else ""
        fate = "" if self.ended else " (not even KILL ended it: uninterruptible sleep)"
        return f"pid {self.pid}: {self.command or 'unknown command'}{origin}{fate}"


def survivors(processes: tuple[LeftBehind, ...]) -> Problem | None:
    """Return what people are told of them, a line for each; None where there are none."""
    if not processes:
        return None
    count = "1 process" if len(processes) == 1 else f"{len(processes)} processes"
    fate = "now ended" if all(each.ended for each in processes) else "which could not be ended"
    lines = [f"checks left {count} running, {fate}", *map(str, processes)]
    return Problem(kind=ProblemKind.SURVIVORS, text="\n".join(lines))

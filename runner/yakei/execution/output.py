"""Reads in what pytest wrote why it ended, and where: pure, no I/O."""

from __future__ import annotations

import re

from yakei.results import Problem, ProblemKind
from yakei_shared.signals import signal_name

_IMPORTED = re.compile(r'^  File "(.+)", line (\d+) in <module>', re.MULTILINE)
_TAIL = 30
"""Lines of pytest's output that go with a problem; the rest is in the log."""


def own_error(output: str) -> str:
    """Return the error that pytest itself ended with, when its output has one."""
    words = last_words(output).splitlines()
    errors = [line for line in words if line.startswith("INTERNALERROR> ")]
    return f": {errors[-1].removeprefix('INTERNALERROR> ')}" if errors else ""


def imported_line(stacks: str) -> str:
    """Return which line was imported when faulthandler wrote the stacks; empty when none was."""
    found = _IMPORTED.search(stacks)
    return f" at {found[1]}:{found[2]}" if found else ""


def usage_problem(output: str) -> Problem:
    """Tell a conftest.py that does not import from a wrong option or path."""
    lines = [line for line in output.splitlines() if "usage:" not in line]
    telling = [line for line in lines if "error" in line.lower()]
    first = (telling or lines or ["no output"])[0].strip()
    raised = [line.removeprefix("E ").strip() for line in lines if line.startswith("E ")]
    broken = "while loading conftest" in output
    kind = ProblemKind.COLLECTION if broken else ProblemKind.CONFIGURATION
    reason = f"conftest.py: {raised[-1]}" if broken and raised else first
    return Problem(kind=kind, text=joined(f"pytest could not start: {reason}", output))


def how_it_ended(exit_code: int) -> str:
    """Return `exited with 3`, or `died by SIGSEGV`."""
    return f"died by {signal_name(-exit_code)}" if exit_code < 0 else f"exited with {exit_code}"


def last_words(output: str) -> str:
    """Return where Python says it died, else the last lines."""
    _, fatal, stack = output.rpartition("Fatal Python error")
    if fatal:
        return "\n".join((fatal + stack).splitlines()[:_TAIL])
    return "\n".join(output.rstrip().splitlines()[-_TAIL:])


def joined(first: str, rest: str) -> str:
    """Return a problem's text: its first line, and what is behind it."""
    return f"{first}\n{rest.rstrip()}" if rest.strip() else first

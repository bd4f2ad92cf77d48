"""Puts findings together: what is wrong, what could not be seen, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_yakei.errors import CannotTell
from pytest_yakei.findings import Findings


def with_steps(findings: Sequence[str], steps: Sequence[str]) -> Findings:
    """Return the findings, the last of which ends with numbered steps; the safest comes first."""
    if not findings or not steps:
        return Findings(findings)
    lines = [f"{number}. {step}" for number, step in enumerate(steps, start=1)]
    todo = "Do        " + "\n          ".join(lines)
    return Findings([*findings[:-1], f"{findings[-1]}\n{todo}"])


def told(findings: Sequence[str], hidden: Sequence[str], steps: Sequence[str] = ()) -> Findings:
    """Return the findings and, after them, what could not be judged.

    Raises:
        CannotTell: nothing is known to be wrong, and something could not be judged.
    """
    if hidden and not findings:
        raise CannotTell("\n".join(hidden))
    return with_steps([*findings, *hidden], steps)

"""Says what takes too long, who is at the root of it, and what to do: ending a session last."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from pytest_yakei.probes.database_locks.sessions import Case

SHOWN = 3
"""Cases that are told in full, the worst ones: further ones mostly wait behind the same root."""


class Words(Protocol):
    """How a kind of server is asked about sessions, and how one of them is ended."""

    look: str
    cancel: str
    end: str


def story(cases: Sequence[Case], words: Words, where: str, now: datetime) -> str:
    """Return the details of a claim that does not hold.

    Args:
        cases: what was found, the worst first.
        words: the statements for this kind of server.
        where: the database, as people know it.
        now: the time of the check, from which ages are counted back.
    """
    lines = [f"Database  {where}", *(_told(case, now) for case in cases[:SHOWN])]
    if len(cases) > SHOWN:
        lines.append(f"          and {len(cases) - SHOWN} more, for less long")
    blockers = dict.fromkeys(text for case in cases[:SHOWN] for text in case.blockers)
    lines += [f"Behind    {text}" for text in blockers]
    return "\n".join([*lines, *_steps(cases, words)])


def _told(case: Case, now: datetime) -> str:
    label = "Waits     " if case.blockers else "Found     "
    query = f"\n          query: {case.query}" if case.query else ""
    return f"{label}{case.text}, since {now - case.age:%Y-%m-%d %H:%M:%S %z}{query}"


def _steps(cases: Sequence[Case], words: Words) -> list[str]:
    worst = cases[0] if cases else None
    if worst is None or not (worst.pids or worst.advice):
        return []
    if not worst.pids:
        return [f"Do        {worst.advice}"]
    pid, pids = worst.pids[0], ", ".join(map(str, worst.pids))
    return [
        f"Do        1. look first:        {words.look.format(pids=pids)}",
        "          2. ask its owner to commit or to roll back",
        f"          3. cancel a statement:  {words.cancel.format(pid=pid)}",
        f"          4. last of all:         {words.end.format(pid=pid)}",
    ]

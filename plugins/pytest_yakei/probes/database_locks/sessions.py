"""Who is connected, who waits behind whom, and what takes too long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pytest_yakei.databases import Database
from pytest_yakei.errors import ResourceUnavailable
from yakei_shared.durations import format_duration

PREPARED = 0
"""The pid by which PostgreSQL names a prepared transaction, which has no session any more."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """One connection to the server."""

    pid: int
    """What the server calls it by: a process of PostgreSQL, a thread of MySQL."""
    who: str
    """User and application, or user and host."""
    state: str
    age: timedelta
    """For how long it has been in that state."""
    query: str = ""
    """The head of its statement, the last one if it is idle, without data."""
    is_client: bool = True
    """Whether somebody has connected, as opposed to the server's own work."""

    @property
    def name(self) -> str:
        """Return which session it is, and whose."""
        return f"pid {self.pid} ({self.who})"

    def __str__(self) -> str:
        """Return who it is and what it is at."""
        return f"{self.name} {self.state} for {format_duration(self.age)}"


@dataclass(frozen=True, kw_only=True)
class Case:
    """Something that takes too long, if it is older than the limit."""

    age: timedelta
    text: str
    query: str = ""
    """The head of its statement, without data."""
    blockers: tuple[str, ...] = ()
    """Those at the root of a wait, a line or two each."""
    pids: tuple[int, ...] = ()
    """The sessions that would have to end their transaction, or be ended."""
    advice: str = ""
    """What to do where there is no such session."""


def hidden(database: Database, grant: str) -> ResourceUnavailable:
    """Return that the sessions of others are not shown to us: one cause for all that asks them."""
    return ResourceUnavailable(f"sessions of {database.resource}", f"cannot tell: {grant}")


def wait(
    session: Session,
    waited: timedelta,
    lock: str,
    before: Iterable[int],
    sessions: Mapping[int, Session],
) -> Case:
    """Return that a session waits for a lock.

    Args:
        session: who waits.
        waited: for how long.
        lock: for what.
        before: those at the root of it, by `roots`.
        sessions: all that are connected.
    """
    there = [sessions[pid] for pid in before if pid in sessions]
    gone = [_gone(pid) for pid in before if pid not in sessions]
    own_work = "let it finish: the session at the root is the server's own, and ends by itself"
    return Case(
        age=waited,
        text=f"{session.name} waits {format_duration(waited)} for {lock}",
        query=session.query,
        blockers=(*map(described, there), *gone),
        pids=tuple(root.pid for root in there if root.is_client),
        advice=own_work if there else "",
    )


def described(session: Session) -> str:
    """Return who a session is and what it is at, with its statement on a second line."""
    query = f"\n          query: {session.query}" if session.query else ""
    return f"{session}{query}"


def _gone(pid: int) -> str:
    if pid == PREPARED:
        return "a prepared transaction, which has no session: select * from pg_prepared_xacts"
    return f"pid {pid}, gone meanwhile"


def roots(pid: int, blocked_by: Mapping[int, Iterable[int]]) -> tuple[int, ...]:
    """Return those who wait for nobody and for whom a session waits, directly or behind others.

    Args:
        pid: the session that waits.
        blocked_by: for each that waits, those right before it.
    """
    found: dict[int, None] = {}
    seen: set[int] = set()
    waiting = [pid]
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        before = list(blocked_by.get(current, ()))
        waiting += before
        if not before and current != pid:
            found[current] = None
    return tuple(found)


def duration(seconds: Any) -> timedelta:
    """Return an age as the server tells it; a clock that was set back makes none negative."""
    return timedelta(seconds=max(0.0, float(seconds or 0)))

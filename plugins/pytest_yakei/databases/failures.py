"""Why a statement got no answer, in words that are the same for every kind of database."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from pytest_yakei.errors import CannotTell
from yakei_shared.durations import format_duration

SHOWN_SQL = 300
"""Characters of a statement that a message shows: enough to recognise it."""


class Cause(StrEnum):
    """What kept a statement from being answered."""

    LOST = "lost"
    """The connection broke: the server stopped, crashed, or ended our session."""
    MISSING = "missing"
    """A table, view, schema or function does not exist."""
    DENIED = "denied"
    """The user lacks a right."""
    TOO_SLOW = "too slow"
    """The statement timeout ended it."""
    LOCKED = "locked"
    """The lock timeout ended it."""
    READ_ONLY = "read only"
    """It would have changed something."""
    REFUSED = "refused"
    """Anything else that the server said, such as a syntax error."""


class QueryFailed(CannotTell):
    """The database refused or gave up a statement; `cause` says why, for code that asks."""

    def __init__(self, resource: str, cause: Cause, problem: str, sql: str) -> None:
        """Say what was wrong, and on a second line what was asked."""
        super().__init__(f"{resource}: {one_line(problem)}\n{asked(sql)}")
        self.cause = cause


def one_line(text: str) -> str:
    """Return the text without line breaks and runs of blanks."""
    return " ".join(text.split())


def asked(sql: str) -> str:
    """Return the line of a message that shows a statement."""
    statement = one_line(sql)
    return f"Asked     {statement[:SHOWN_SQL]}{'…' if len(statement) > SHOWN_SQL else ''}"


def timed_out(limit: timedelta) -> str:
    """Return the reason of a connection that did not come about in time."""
    return f"timed out after {format_duration(limit)}"

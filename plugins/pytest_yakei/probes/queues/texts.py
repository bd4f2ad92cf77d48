"""Says what to look at when a queue is too long, too old, stands still, or has no clock."""

from __future__ import annotations

from datetime import timedelta

from pytest_yakei.databases.database import Kind
from pytest_yakei.probes.queues.moments import in_utc
from yakei_shared.durations import format_duration

_WHAT_THEY_DO: dict[Kind, str] = {
    "postgresql": "select pid, application_name, state, wait_event, query from pg_stat_activity",
    "mysql": "show full processlist",
    "sqlite": "is the file locked?  fuser -v FILE",
}


def steps(name: str, where: str, kind: Kind) -> str:
    """Return the details of a queue that is not worked off: where it is, and what to do.

    Args:
        name: the table or the statement.
        where: the database, as people know it.
        kind: the kind of database.
    """
    return f"""\
Queue     {name}, in database {where}
Do        1. are the consumers alive?
          2. what do they wait on?  {_WHAT_THEY_DO[kind]}
          3. restart one consumer, and see whether the next run finds fewer rows"""


def clock_text(column: str, where: str, *, written: float, now: float) -> str:
    """Return why the age of the oldest row cannot be told; times are seconds since 1970."""
    ahead = format_duration(timedelta(seconds=written - now))
    return f"""\
clock: oldest row is dated {ahead} in the future
{column} says {in_utc(written)}, the clock of {where} says {in_utc(now)}.
Do        1. compare the clocks of the producers and of the database:  date -u
          2. are the times without a zone?  say which one it is:  age_zone = "UTC"
          3. are these rows for later?  leave them out:  where = "run_at <= now()\""""


def missing_text(table: str, where: str) -> str:
    """Return that a table is not there, which is not the same as an empty queue."""
    return f"table missing: {table}, in {where}; upper and lower case count, and the schema"

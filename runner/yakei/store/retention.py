"""Removes what is too old or too much, a little in every run, so that none of them is slow."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from typing import NamedTuple

MEGABYTE = 1024 * 1024

_AT_ONCE = 300
"""Runs removed by one run: a day of them at five minutes.

A shorter `keep` is reached step by step, and a clock that was wrong for one run costs no more.
"""
_INCIDENTS_KEPT = timedelta(days=400)
"""So that last year's incident of the same day can be found."""
_INCIDENTS = 50_000
"""Incidents that are over and kept, whatever their age: some 50 MB, if checks flap for months."""


class Retention(NamedTuple):
    """How long and how much is kept."""

    keep: timedelta = timedelta(days=90)
    """Outcomes, measures, messages and deliveries."""
    max_size: int = 500 * MEGABYTE
    """Bytes of the file that are in use."""

    @property
    def incidents(self) -> timedelta:
        """How long incidents are kept after they are over."""
        return max(self.keep, _INCIDENTS_KEPT)


def prune(connection: sqlite3.Connection, now: datetime, retention: Retention) -> None:
    """Remove what is too old or too much; a usual run finds at once that nothing is.

    What waits for a channel is kept as long as an incident is, and what is open always.
    """
    old = (now - retention.keep).timestamp()
    runs = connection.execute(
        "select number from runs where started < ? order by started limit ?", (old, _AT_ONCE)
    ).fetchall()
    if not runs and _size(connection) > retention.max_size:
        runs = _oldest(connection)
    for table, column in (("measures", "run"), ("outcomes", "run"), ("runs", "number")):
        # One by one: a run whose clock was wrong is not in the order of the others.
        connection.executemany(
            f"delete from {table} where {column} = ?",  # noqa: S608 - the names are ours
            runs,
        )
    forgotten = (now - retention.incidents).timestamp()
    if runs:
        _prune_messages(connection, forgotten)
    _prune_incidents(connection, old, forgotten)


def _oldest(connection: sqlite3.Connection) -> list[tuple[int]]:
    """Return the runs to remove where there is too much; the last ones stay in any case."""
    return connection.execute(
        "select number from runs where number <= (select max(number) from runs) - ?"
        " order by number limit ?",
        (_AT_ONCE, _AT_ONCE),
    ).fetchall()


def _size(connection: sqlite3.Connection) -> int:
    """Return the bytes in use: what was removed leaves pages that are written again."""
    (size,), (pages,), (free,) = (
        connection.execute(f"pragma {name}").fetchone()
        for name in ("page_size", "page_count", "freelist_count")
    )
    return int(size * (pages - free))


def _prune_messages(connection: sqlite3.Connection, forgotten: float) -> None:
    """Remove the messages of runs that are gone, but for those that nobody has taken yet."""
    (first,) = connection.execute("select min(started) from runs").fetchone()
    waiting = "delivered_at is null and superseded_at is null"
    gone = f"(created < :first and not ({waiting})) or created < :forgotten"
    times = {"first": first, "forgotten": forgotten}
    connection.execute(
        f"delete from told where notification in (select id from notifications where {gone})",  # noqa: S608 - the condition is ours
        times,
    )
    connection.execute(f"delete from notifications where {gone}", times)  # noqa: S608 - as above


def _prune_incidents(connection: sqlite3.Connection, old: float, forgotten: float) -> None:
    """Remove incidents that are over, and what people said of them and for a time that is over."""
    connection.execute("delete from incidents where closed < ?", (forgotten,))
    connection.execute(
        "delete from incidents where id <= (select max(id) from incidents) - ?"
        " and closed is not null",
        (_INCIDENTS,),
    )
    connection.execute("delete from silences where coalesce(ended_at, until) < ?", (old,))
    connection.execute(
        "delete from acknowledgements where at < ?"
        " and incident not in (select name from incidents where closed is null)",
        (old,),
    )

"""Finds who waits for a database's locks, who keeps them while idle, and who stops all writes.

Sessions are only ever looked at. Ending one is for people, and so the last step that is advised.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from functools import cached_property

from pytest_yakei.context import Context
from pytest_yakei.databases import Database
from pytest_yakei.errors import NotConfigured
from pytest_yakei.explaining import explaining
from pytest_yakei.probes.database_locks.mysql import MySQLLocks
from pytest_yakei.probes.database_locks.postgres import PostgresLocks
from pytest_yakei.probes.database_locks.sessions import Case
from pytest_yakei.probes.database_locks.settings import Settings
from pytest_yakei.probes.database_locks.texts import story
from yakei_shared.limits import Limit

__all__ = ["DatabaseLocks", "Settings", "probe"]

_USUAL_WAIT = {
    "postgresql": Limit(timedelta(seconds=60)),
    "mysql": Limit(timedelta(seconds=30)),
}
_NONE = timedelta(0)


def probe(context: Context[Settings]) -> DatabaseLocks:
    """Return the locks of one `[database_locks.NAME]`; nothing is asked before it is."""
    return DatabaseLocks(context)


class DatabaseLocks:
    """The locks and transactions of one database, but for our own session's.

    Each method returns the longest time, and zero when there is none, or when the kind of database
    has no such thing. All raise CannotTell when the sessions of others are hidden from us,
    NotConfigured for SQLite, and ResourceUnavailable when the database is down.
    """

    def __init__(self, context: Context[Settings]) -> None:
        self._context = context
        self._cases: Sequence[Case] = ()
        self.settings = context.settings

    @property
    def max_wait(self) -> Limit[timedelta]:
        """The limit of `longest_wait`, which depends on the kind of database unless it is set."""
        return self.settings.max_wait or _USUAL_WAIT[self._database.kind]

    def longest_wait(self) -> timedelta:
        """Return the longest time that a client has waited for a lock of somebody else."""
        return self._longest(self._server.waits)

    def longest_metadata_wait(self) -> timedelta:
        """Return the longest time that a client has waited for a table's definition."""
        return self._longest(self._server.metadata_waits)

    def longest_idle(self) -> timedelta:
        """Return the longest time that a client has done nothing in an open transaction."""
        return self._longest(self._server.idle)

    def longest_transaction(self) -> timedelta:
        """Return the age of the oldest transaction of a client, busy or not."""
        return self._longest(self._server.transactions)

    def oldest_prepared(self) -> timedelta:
        """Return the age of the oldest transaction that was prepared and not yet committed."""
        return self._longest(self._server.prepared)

    def longest_write_stop(self) -> timedelta:
        """Return the longest time that a global read lock was held, or has kept a write waiting."""
        return self._longest(self._server.write_stops)

    def count(self) -> int:
        """Return how many locks there are: of the server, or rows in InnoDB."""
        self._cases = ()
        return self._server.count()

    def explained(self) -> AbstractContextManager[None]:
        """Add to a failed claim who it is, who is at the root of it, and what to do."""
        return explaining(
            lambda: story(self._cases, self._server, self._database.where, self._context.now)
        )

    @property
    def _database(self) -> Database:
        return self._context.database(self.settings.database)

    @cached_property
    def _server(self) -> PostgresLocks | MySQLLocks:
        database = self._database
        if database.kind == "sqlite":
            key = f"database_locks.{self._context.name}.database"
            raise NotConfigured(key, f"{database.where} is SQLite, which has no sessions to watch")
        kind = PostgresLocks if database.kind == "postgresql" else MySQLLocks
        return kind(database, advisory=self.settings.advisory_locks)

    def _longest(self, ask: Callable[[], Sequence[Case]]) -> timedelta:
        self._cases = sorted(ask(), key=lambda case: case.age, reverse=True)
        return self._cases[0].age if self._cases else _NONE

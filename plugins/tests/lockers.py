"""Sessions that hold locks, idle and wait, on real servers; they end when the test does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from places import Place
from servers.processes import wait_until

from pytest_yakei.measures import take
from pytest_yakei.probes.database_locks import DatabaseLocks, Settings, probe

UPDATE = "update orders set note = 'top secret' where id = 1"
METHODS = [
    "longest_wait",
    "longest_metadata_wait",
    "longest_idle",
    "longest_transaction",
    "oldest_prepared",
    "longest_write_stop",
]
"""The methods that give a time, and are nothing where nobody waits."""

INNODB_LOOKS_ANEW = 0.15
"""Seconds: innodb_trx and its like are a copy, renewed when nobody has read it for 0.1 s."""


class Actor:
    """One session of an application; what it does in the background may wait for ever."""

    def __init__(self, server: Any, place: Place, application: str) -> None:
        self._server = server
        self._connection = server.connect(place.database.row(_NAME[place.database.kind])[0])
        self._threads: list[threading.Thread] = []
        self._is_postgres = place.database.kind == "postgresql"
        if self._is_postgres:
            self.do(f"set application_name = '{application}'")
        pid = "pg_backend_pid()" if self._is_postgres else "connection_id()"
        self.pid: int = self.do(f"select {pid}")[0][0]

    def do(self, *statements: str) -> Any:
        """Run statements, and return the rows of the last one."""
        with self._connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def begin(self, *statements: str) -> None:
        """Open a transaction and leave it so."""
        self.do("begin", *statements)

    def attempt(self, statement: str) -> None:
        """Run a statement in the background; it is given up when the session is ended."""

        def run() -> None:
            with suppress(Exception):
                self.do(statement)

        self._threads.append(threading.Thread(target=run, daemon=True))
        self._threads[-1].start()

    def end(self) -> None:
        """End the session from outside, whatever it waits for."""
        kill = "select pg_terminate_backend({})" if self._is_postgres else "kill {}"
        with suppress(Exception):
            self._server.execute(kill.format(self.pid))
        for thread in self._threads:
            thread.join(10)
        with suppress(Exception):
            self._connection.close()


_NAME = {"postgresql": "select current_database()", "mysql": "select database()"}


@contextmanager
def actors(server: Any, place: Place) -> Iterator[Callable[..., Actor]]:
    """Yield what makes sessions: `actor("web")`."""
    made: list[Actor] = []

    def actor(application: str = "web") -> Actor:
        made.append(Actor(server, place, application))
        return made[-1]

    try:
        yield actor
    finally:
        for one in made:
            one.end()


def locks_of(place: Place, **settings: Any) -> DatabaseLocks:
    """Return the locks of a database as they are now."""
    return probe(place.context(Settings(database="main", **settings), now=datetime.now(UTC)))


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Return as soon as the condition is true; it is asked so seldom that InnoDB looks anew."""
    wait_until(lambda: threading.Event().wait(INNODB_LOOKS_ANEW) or condition(), what)


def failure_of(place: Place, method: str, *, over: float, **settings: Any) -> str:
    """Wait until what the method tells is over so many seconds, and return the check's failure."""
    limit = timedelta(seconds=over)
    wait_for(lambda: getattr(locks_of(place, **settings), method)() > limit, method)
    locks = locks_of(place, **settings)
    value, _ = take("it", getattr(locks, method)(), "")
    with pytest.raises(AssertionError) as failure, locks.explained():
        value.below(limit)
    return str(failure.value)

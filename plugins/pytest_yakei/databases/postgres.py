"""PostgreSQL: a session that the server itself keeps read-only and short."""

from __future__ import annotations

import math
import re
import socket
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import psycopg2
from psycopg2 import errorcodes

from pytest_yakei.databases import libpq
from pytest_yakei.databases.database import Row
from pytest_yakei.databases.deadlines import Timeouts, TooLate, within
from pytest_yakei.databases.failures import Cause, timed_out
from pytest_yakei.databases.farewell import await_end, own_line
from pytest_yakei.databases.urls import Target
from pytest_yakei.errors import NotConfigured, ResourceUnavailable
from yakei_shared.durations import format_duration

CAUSES = {
    errorcodes.UNDEFINED_TABLE: Cause.MISSING,
    errorcodes.INVALID_SCHEMA_NAME: Cause.MISSING,
    errorcodes.UNDEFINED_FUNCTION: Cause.MISSING,
    errorcodes.INSUFFICIENT_PRIVILEGE: Cause.DENIED,
    errorcodes.QUERY_CANCELED: Cause.TOO_SLOW,
    errorcodes.LOCK_NOT_AVAILABLE: Cause.LOCKED,
    errorcodes.READ_ONLY_SQL_TRANSACTION: Cause.READ_ONLY,
}
LOST = ("08", "57P")
"""First characters of the codes of a connection that the server has ended."""


class PostgresSession:
    """One connection; `pooled` when a pooler between us and the server takes no settings."""

    errors: tuple[type[Exception], ...] = (psycopg2.Error,)

    def __init__(self, connection: Any, timeouts: Timeouts, *, pooled: bool) -> None:
        self.connection = connection
        self._timeouts = timeouts
        self._pooled = pooled
        self.address = libpq.address(connection.info.host, connection.info.port)
        self.database: str = connection.info.dbname

    @property
    def broken(self) -> bool:
        """Whether libpq has given the connection up."""
        return bool(self.connection.closed)

    def fetch(self, sql: str, params: Sequence[Any]) -> list[Row]:
        """Run a statement and return its rows."""
        if not self._pooled:
            return self._run(sql, params)
        with self.connection:  # one transaction
            self._run(self._local_limits())
            return self._run(sql, params)

    def _run(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, tuple(params) or None)
            return cursor.fetchall() if cursor.description else []

    def _local_limits(self) -> str:
        """Return limits of this transaction alone: behind a pooler the session is everybody's."""
        limits = {
            "statement_timeout": self._timeouts.statement,
            "lock_timeout": self._timeouts.lock,
        }
        return "; ".join(f"set local {name} = {_ms(value)}" for name, value in limits.items())

    def hang_up(self) -> None:
        """Shut the socket down, so that libpq returns: it waits for ever for a frozen server."""
        if line := self._line():
            with line, suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def explain(self, error: Exception) -> tuple[Cause, str]:
        """Return the cause by SQLSTATE, and the server's own words where ours say less."""
        assert isinstance(error, psycopg2.Error)  # one of `errors`
        code = error.pgcode or ""
        if self.broken or code.startswith(LOST):
            return Cause.LOST, f"connection lost at {self.address}"
        said = error.diag.message_primary or str(error)
        cause = CAUSES.get(code, Cause.REFUSED)
        return cause, self._in_words(cause, said)

    def _in_words(self, cause: Cause, said: str) -> str:
        if cause is Cause.MISSING:
            return re.sub(r'^relation "([^"]*)"', r"table \1", said)
        if cause is Cause.DENIED:
            return f"{said}, as user {self.connection.info.user}"
        if cause is Cause.TOO_SLOW and "statement timeout" in said:
            return f"no answer within {format_duration(self._timeouts.statement)}"
        if cause is Cause.LOCKED and "lock timeout" in said:
            return f"waited {format_duration(self._timeouts.lock)} for a lock in vain"
        return said

    def close(self) -> None:
        """End the connection; on return the server has ended it, if it answers at all."""
        line = self._line()
        with suppress(psycopg2.Error):
            self.connection.close()
        await_end(line)

    def _line(self) -> socket.socket | None:
        try:
            return own_line(self.connection.fileno())
        except psycopg2.Error:  # libpq has given it up
            return None


def _ms(duration: timedelta) -> int:
    return math.ceil(duration.total_seconds() * 1000)


def session_settings(timeouts: Timeouts) -> str:
    """Return what makes a session read-only and short, as libpq's `options` has it."""
    settings = {
        "default_transaction_read_only": "on",
        "statement_timeout": _ms(timeouts.statement),
        "lock_timeout": _ms(timeouts.lock),
        "idle_in_transaction_session_timeout": _ms(timeouts.idle_transaction),
    }
    return " ".join(f"-c {name}={value}" for name, value in settings.items())


def open_session(name: str, target: Target, timeouts: Timeouts) -> PostgresSession:
    """Connect.

    Raises:
        ResourceUnavailable: it was not possible within the connect timeout.
        NotConfigured: libpq does not understand the setting.
    """
    try:
        # A connection that comes too late has no holder, and so is closed.
        return within(timeouts.connect, lambda: _connect(target, timeouts), lambda: None)
    except TooLate:
        reason = f"{timed_out(timeouts.connect)} at {libpq.address_of(target)}"
    except psycopg2.ProgrammingError as error:
        raise NotConfigured(f"databases.{name}", libpq.own_words(str(error), target)) from None
    except psycopg2.Error as error:
        reason = libpq.reason(str(error), target, timeouts.connect)
    raise ResourceUnavailable(f"database {name}", reason)


def _connect(target: Target, timeouts: Timeouts) -> PostgresSession:
    parameters = libpq.parameters(target, timeouts.connect)
    options = f"{parameters.pop('options', '')} {session_settings(timeouts)}".strip()
    try:
        connection = psycopg2.connect(**parameters, options=options)
    except psycopg2.OperationalError as error:
        if not libpq.NO_OPTIONS.search(str(error)):
            raise
        return _pooled(psycopg2.connect(**parameters), timeouts)
    connection.autocommit = True
    if _setting(connection, "default_transaction_read_only") != "on":
        return _pooled(connection, timeouts)  # pgbouncer with `ignore_startup_parameters`
    return PostgresSession(connection, timeouts, pooled=False)


def _pooled(connection: Any, timeouts: Timeouts) -> PostgresSession:
    """Return a session whose every transaction is read-only by itself.

    A `SET` would stay on the server's connection, which a pooler hands to the application next.
    """
    connection.set_session(readonly=True, autocommit=False)
    return PostgresSession(connection, timeouts, pooled=True)


def _setting(connection: Any, name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("select current_setting(%s)", (name,))
        value: str = cursor.fetchone()[0]
    return value

"""MySQL and MariaDB: a session that the server itself keeps read-only and short."""

from __future__ import annotations

import math
import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pymysql
from pymysql.constants import CR, ER

from pytest_yakei.databases import mysql_connecting
from pytest_yakei.databases.database import Row
from pytest_yakei.databases.deadlines import Timeouts, TooLate, within
from pytest_yakei.databases.failures import Cause, timed_out
from pytest_yakei.databases.farewell import await_end, own_line
from pytest_yakei.databases.urls import Target
from pytest_yakei.errors import NotConfigured, ResourceUnavailable
from yakei_shared.durations import format_duration

MARIADB_STATEMENT_TIMEOUT = 1969
MYSQL_STATEMENT_TIMEOUT = 3024
MARIADB_CONNECTION_KILLED = 1927
READ_ONLY_TRANSACTION = 1792
CAUSES = {
    mysql_connecting.NO_CODE: Cause.LOST,
    CR.CR_SERVER_GONE_ERROR: Cause.LOST,
    CR.CR_SERVER_LOST: Cause.LOST,
    ER.SERVER_SHUTDOWN: Cause.LOST,
    MARIADB_CONNECTION_KILLED: Cause.LOST,
    ER.NO_SUCH_TABLE: Cause.MISSING,
    ER.BAD_DB_ERROR: Cause.MISSING,
    ER.SP_DOES_NOT_EXIST: Cause.MISSING,
    ER.TABLEACCESS_DENIED_ERROR: Cause.DENIED,
    ER.COLUMNACCESS_DENIED_ERROR: Cause.DENIED,
    ER.DBACCESS_DENIED_ERROR: Cause.DENIED,
    ER.SPECIFIC_ACCESS_DENIED_ERROR: Cause.DENIED,
    MARIADB_STATEMENT_TIMEOUT: Cause.TOO_SLOW,
    MYSQL_STATEMENT_TIMEOUT: Cause.TOO_SLOW,
    ER.LOCK_WAIT_TIMEOUT: Cause.LOCKED,
    READ_ONLY_TRANSACTION: Cause.READ_ONLY,
}


class MySQLSession:
    """One connection of PyMySQL."""

    errors: tuple[type[Exception], ...] = (pymysql.MySQLError,)

    def __init__(self, connection: Any, timeouts: Timeouts) -> None:
        self.connection = connection
        self._timeouts = timeouts

    @property
    def address(self) -> str:
        """Its socket, or host and port; an option file may have given them."""
        return mysql_connecting.address_of(self.connection)

    @property
    def database(self) -> str:
        """The database that the session started in."""
        return mysql_connecting.text_of(self.connection.db)

    @property
    def broken(self) -> bool:
        """Whether PyMySQL has given the connection up."""
        return not self.connection.open

    @property
    def _socket(self) -> socket.socket | None:
        # PyMySQL has no public way to interrupt a connection, or to wait for its end.
        line: socket.socket | None = self.connection._sock  # noqa: SLF001 - see above
        return line

    def fetch(self, sql: str, params: Sequence[Any]) -> list[Row]:
        """Run a statement and return its rows."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql, tuple(params) or None)
            return list(cursor.fetchall())

    def hang_up(self) -> None:
        """Shut the socket down, so that whoever reads from it returns."""
        if line := self._socket:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def limit(self) -> None:
        """Have the server keep the session read-only and short."""
        lock = math.ceil(self._timeouts.lock.total_seconds())
        self.fetch("set session transaction read only", ())
        self.fetch(f"set session lock_wait_timeout = {lock}, innodb_lock_wait_timeout = {lock}", ())
        try:
            self.fetch(f"set session {self._statement_limit()}", ())
        except pymysql.err.OperationalError as error:
            if mysql_connecting.code_of(error) != ER.UNKNOWN_SYSTEM_VARIABLE:
                raise  # MySQL before 5.7.8 has no such limit: ours has to do

    def _statement_limit(self) -> str:
        seconds = self._timeouts.statement.total_seconds()
        if "mariadb" in self.connection.get_server_info().lower():
            return f"max_statement_time = {seconds}"
        return f"max_execution_time = {math.ceil(seconds * 1000)}"

    def explain(self, error: Exception) -> tuple[Cause, str]:
        """Return the cause by the server's code, and its own words where ours say less."""
        code = mysql_connecting.code_of(error)
        cause = Cause.LOST if self.broken else CAUSES.get(code, Cause.REFUSED)
        words = {
            Cause.LOST: f"connection lost at {self.address}",
            Cause.TOO_SLOW: f"no answer within {format_duration(self._timeouts.statement)}",
            Cause.LOCKED: f"waited {format_duration(self._timeouts.lock)} for a lock in vain",
        }
        return cause, words.get(cause, mysql_connecting.said(error))

    def close(self) -> None:
        """End the connection; on return the server has ended it, if it answers at all."""
        if not (used := self._socket):
            return
        line = own_line(used.fileno())
        with suppress(pymysql.MySQLError):
            self.connection.close()
        await_end(line)


def open_session(name: str, target: Target, timeouts: Timeouts) -> MySQLSession:
    """Connect.

    Raises:
        ResourceUnavailable: it was not possible within the connect timeout.
        NotConfigured: the setting names a file that does not exist, or makes no sense to PyMySQL.
    """
    session = _prepared(name, target, timeouts)
    try:
        within(timeouts.connect, lambda: _connect(session), session.hang_up)
    except TooLate:
        reason = timed_out(timeouts.connect)
    except (pymysql.MySQLError, RuntimeError, OSError) as error:
        reason = mysql_connecting.reason(error, session.connection, timeouts.connect)
    else:
        return session
    raise ResourceUnavailable(f"database {name}", f"{reason} at {session.address}")


def _connect(session: MySQLSession) -> None:
    socket_file = session.connection.unix_socket
    if socket_file and not Path(socket_file).exists():
        raise FileNotFoundError(socket_file)  # PyMySQL would leave a socket open
    session.connection.connect()
    session.limit()


def _prepared(name: str, target: Target, timeouts: Timeouts) -> MySQLSession:
    file = target.get("read_default_file")
    if file and not Path(file).expanduser().is_file():
        raise NotConfigured(f"databases.{name}", f"no such file: {file}")
    # Our own deadlines come first; these are for a check that uses the driver's connection itself.
    silence = (timeouts.connect + timeouts.answer).total_seconds()
    try:
        connection: Any = pymysql.Connection(
            **mysql_connecting.parameters(target),
            autocommit=True,
            program_name="yakei",
            connect_timeout=timeouts.connect.total_seconds(),
            read_timeout=silence,
            write_timeout=silence,
            defer_connect=True,
        )
    except (ValueError, TypeError, OSError, AttributeError, pymysql.MySQLError) as error:
        problem = f"PyMySQL refuses the setting ({type(error).__name__})"
        raise NotConfigured(f"databases.{name}", problem) from None
    return MySQLSession(connection, timeouts)

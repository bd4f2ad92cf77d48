"""A read-only connection of our own to one database, the same to use for every kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol

from pytest_yakei.databases.deadlines import Timeouts, TooLate, within
from pytest_yakei.databases.failures import Cause, QueryFailed, asked
from pytest_yakei.errors import CannotTell, ResourceUnavailable
from yakei_shared.durations import format_duration

Kind = Literal["postgresql", "mysql", "sqlite"]
Row = tuple[Any, ...]


class Session(Protocol):
    """What a kind of database has to offer: one open connection of its driver."""

    @property
    def connection(self) -> Any:
        """The driver's DB-API connection."""

    @property
    def address(self) -> str:
        """Where it leads: `db01:5432`, a socket or a file."""

    @property
    def database(self) -> str:
        """The database's own name there; empty where there is none."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """The driver's exceptions."""

    @property
    def broken(self) -> bool:
        """Whether the driver has found the connection broken."""

    def fetch(self, sql: str, params: Sequence[Any]) -> list[Row]:
        """Run a statement and return all its rows; may block."""

    def hang_up(self) -> None:
        """Cut the connection under a `fetch` that another thread waits for."""

    def explain(self, error: Exception) -> tuple[Cause, str]:
        """Return why the driver raised one of its exceptions, without any secret."""

    def close(self) -> None:
        """End the connection; never fails."""


class Database:
    """A configured database: it is asked, never changed.

    One that was lost (a restart, a statement that hung) is connected again by the next statement.
    """

    def __init__(
        self, name: str, kind: Kind, open_session: Callable[[], Session], timeouts: Timeouts
    ) -> None:
        """Connect.

        Raises:
            ResourceUnavailable: there is no connection to be had.
        """
        self.name = name
        self.kind: Kind = kind
        self._timeouts = timeouts
        self._open_session = open_session
        self._session = open_session()
        self._cut = False
        self.is_lent = False
        """Whether a check may hold the driver's connection, which then must not be ended."""

    def __repr__(self) -> str:
        return f"<Database {self.where}>"

    @property
    def resource(self) -> str:
        """Its name as a resource: `database main`."""
        return f"database {self.name}"

    @property
    def where(self) -> str:
        """Its name and address, for people: `main (db01:5432/app)`."""
        place = f"{self._session.address}/{self._session.database}".rstrip("/")
        return f"{self.name} ({place})"

    @property
    def connection(self) -> Any:
        """The DB-API connection, whose driver raises its own exceptions.

        It is in autocommit mode, save behind a pooler that takes no settings: there every
        statement is in a read-only transaction that the check has to end.
        """
        self.is_lent = True
        return self._usable().connection

    @property
    def placeholder(self) -> str:
        """How a statement marks a parameter: `%s`, or `?` for SQLite."""
        return "?" if self.kind == "sqlite" else "%s"

    def quote(self, *identifier: str) -> str:
        """Return a name, or `schema, table`, as it has to stand in a statement."""
        mark = "`" if self.kind == "mysql" else '"'
        return ".".join(f"{mark}{part.replace(mark, mark * 2)}{mark}" for part in identifier)

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """Return all rows of a statement; none for a statement that has no result.

        Without parameters a `%` in the statement stands for itself.

        Raises:
            QueryFailed: the statement was refused or took too long.
            ResourceUnavailable: the connection was lost or the server froze.
        """
        session = self._usable()
        try:
            return within(self._timeouts.answer, lambda: session.fetch(sql, params), self._cut_off)
        except TooLate:
            wait = format_duration(self._timeouts.answer)
            raise self._unavailable(f"no answer within {wait} from {session.address}") from None
        except session.errors as error:
            cause, problem = session.explain(error)
        if cause is Cause.LOST:
            raise self._unavailable(problem)
        raise QueryFailed(self.resource, cause, problem, sql)

    def row(self, sql: str, params: Sequence[Any] = ()) -> Row:
        """Return the one row of a statement.

        Raises:
            CannotTell: there is no row, or more than one; and what `rows` raises.
        """
        found = self.rows(sql, params)
        if len(found) != 1:
            count = "no row" if not found else f"{len(found)} rows"
            raise CannotTell(f"{self.resource}: {count}, expected exactly one\n{asked(sql)}")
        return found[0]

    def scalar(self, sql: str, params: Sequence[Any] = ()) -> Any:
        """Return the one value of a statement, as the driver gives it; SQL's NULL is None.

        Raises:
            CannotTell: there is not exactly one row with one column; and what `rows` raises.
        """
        values = self.row(sql, params)
        if len(values) != 1:
            count = f"a row of {len(values)} columns, expected exactly one"
            raise CannotTell(f"{self.resource}: {count}\n{asked(sql)}")
        return values[0]

    def close(self) -> None:
        """End the connection; one that was cut ends with the thread that still holds it."""
        if not self._cut:
            self._session.close()

    def rest(self) -> None:
        """End the connection for now; the next use opens another."""
        self.close()
        self._cut = True

    def wake(self) -> None:
        """Connect again, if the connection was ended.

        Raises:
            ResourceUnavailable: there is no connection to be had.
        """
        self._usable()

    def _usable(self) -> Session:
        if self._cut or self._session.broken:
            self._session = self._open_session()
            self._cut = False
        return self._session

    def _cut_off(self) -> None:
        self._cut = True
        self._session.hang_up()

    def _unavailable(self, reason: str) -> ResourceUnavailable:
        return ResourceUnavailable(self.resource, reason)

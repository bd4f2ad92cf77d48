"""Remembers runs, incidents and undelivered messages in one file; a run is in it whole or not."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from yakei.incidents import Decision
from yakei.incidents.remembered import State
from yakei.message import Message
from yakei.store.reading import Row, read_facts, read_state, read_waiting
from yakei.store.statefile import (
    FAILURES,
    DamagedStateError,
    StateError,
    connect,
    explained,
    set_aside,
)
from yakei.store.writing import Run, write_fact, write_run
from yakei_shared.history import STATE_FILE

__all__ = ["Run", "StateError", "Store"]

T = TypeVar("T")

_DELIVERY, _NOTE = "delivery", "note"


class Store:
    """The state file of one folder; used by one thread, safe beside other processes.

    Every method raises StateError when the state cannot be used now: no right to write, a full
    disk, another process that does not let go. A file that is damaged, or written by a newer
    version, is set aside and begun anew; `note` says so once.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.note = ""
        """What people are to be told about the state itself; empty when all is well."""
        self._connection: sqlite3.Connection
        try:
            self._connection = connect(path)
        except DamagedStateError as error:
            self._rebuild(error)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Return the store of a folder; both are made when they are missing.

        Raises:
            StateError: the state cannot be used now.
        """
        return cls(folder / STATE_FILE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def load(self) -> State:
        """Return what is remembered; nothing is when the file had to be rebuilt (see `note`)."""

        def read(connection: sqlite3.Connection) -> State:
            self.note = self.note or str(read_facts(connection).get(_NOTE) or "")
            return read_state(connection)

        return self._repaired(read)

    def record(self, run: Run, decision: Decision, outbox: Iterable[tuple[str, Message]]) -> None:
        """Write a run and the messages that are due, all or nothing.

        Args:
            run: which run it was.
            decision: what follows from it, with its report.
            outbox: the messages to deliver, each with the name of its notifier.
        """
        messages = tuple(outbox)
        noted = self.note

        def write(connection: sqlite3.Connection) -> None:
            with _transaction(connection):
                write_run(connection, run, decision, messages)
                # A note of before is told by now; that of a repair just made is for the next run.
                write_fact(connection, _NOTE, "" if self.note == noted else self.note)

        self._repaired(write)

    def pending(self, notifier: str, /) -> Sequence[Row]:
        """Return what waits for a notifier, oldest first: id, message, created, past attempts."""
        return self._plain(lambda connection: read_waiting(connection, notifier))

    def mark_delivered(
        self, rows: Sequence[int], at: datetime, memory: Mapping[str, Any] | None = None, /
    ) -> None:
        """Keep that a notifier has taken messages, in one step with delivery's memory if given."""
        self._mark("delivered_at", at.timestamp(), rows, memory)

    def mark_failed(
        self, rows: Sequence[int], error: str, memory: Mapping[str, Any] | None = None, /
    ) -> None:
        """Keep that a notifier was tried in vain; the messages go on waiting."""
        self._mark("last_error", error, rows, memory)

    def delivery_memory(self) -> Mapping[str, Any]:
        """Return the JSON document that delivery last kept, `{}` at first."""
        document = self._plain(read_facts).get(_DELIVERY)
        return document if isinstance(document, dict) else {}

    def keep_delivery_memory(self, memory: Mapping[str, Any], /) -> None:
        """Keep a small JSON document for the next run's delivery."""
        self._plain(lambda connection: write_fact(connection, _DELIVERY, dict(memory)))

    def _mark(
        self, column: str, value: object, rows: Sequence[int], memory: Mapping[str, Any] | None
    ) -> None:
        statement = f"update notifications set {column} = ?, attempts = attempts + 1 where id = ?"  # noqa: S608 - the names are ours

        def write(connection: sqlite3.Connection) -> None:
            with _transaction(connection):
                connection.executemany(statement, ((value, row) for row in rows))
                if memory is not None:
                    write_fact(connection, _DELIVERY, dict(memory))

        self._plain(write)

    def _plain(self, action: Callable[[sqlite3.Connection], T]) -> T:
        """Do something; damage is left for the next run, which begins by looking for it."""
        try:
            return self._tried(action)
        except DamagedStateError as error:
            raise StateError(f"state {self._path}: it is damaged: {error}") from None

    def _repaired(self, action: Callable[[sqlite3.Connection], T]) -> T:
        """Do something; when the file turns out to be damaged, do it on a new one."""
        try:
            return self._tried(action)
        except DamagedStateError as error:
            self._rebuild(error)
            return self._plain(action)

    def _tried(self, action: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return action(self._connection)
        except FAILURES as error:
            raise explained(error, self._path) from None

    def _rebuild(self, error: DamagedStateError) -> None:
        with suppress(AttributeError):  # there is no connection yet when opening found the damage
            self._connection.close()
        kept = set_aside(self._path)
        self.note = f"state had to be rebuilt: {error}; the old one is kept as {kept}"
        try:
            self._connection = connect(self._path)
        except DamagedStateError as again:
            raise StateError(f"state {self._path}: the new one is damaged: {again}") from None
        self._plain(lambda connection: write_fact(connection, _NOTE, self.note))


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write all or nothing; others may read until the commit."""
    connection.execute("begin immediate")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        with suppress(sqlite3.Error):  # a full disk has rolled it back already
            connection.execute("rollback")
        raise

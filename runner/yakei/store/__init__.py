"""Remembers runs, incidents and undelivered messages in one file; a run is in it whole or not."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from yakei.incidents import Decision
from yakei.incidents.remembered import State
from yakei.message import Message, Queued
from yakei.store.reading import (
    Spoken,
    read_facts,
    read_spoken,
    read_state,
    read_undelivered,
    read_waited_for,
    read_waiting,
)
from yakei.store.retention import Retention, prune
from yakei.store.salvage import salvage
from yakei.store.sharing import SHARED, neighbours
from yakei.store.statefile import (
    FAILURES,
    DamagedStateError,
    StateError,
    connect,
    damage_named,
    explained,
    look_for_lock,
    look_for_room,
    set_aside,
    transaction,
)
from yakei.store.writing import Run, write_fact, write_memories, write_run
from yakei_shared.history import STATE_FILE, read_judged, read_memories

__all__ = ["Run", "Spoken", "StateError", "Store"]

T = TypeVar("T")

_DELIVERY, _NOTE = "delivery", "note"


class Store:
    """The state file of one folder; used by one thread, safe beside other processes.

    Every method raises StateError when the state cannot be used now: no right to write, a full
    disk, another process that does not let go. A file that is damaged, or written by a newer
    version, is set aside and begun anew; `note` says so once.
    """

    def __init__(self, path: Path, *, configuration: Path | None, retention: Retention) -> None:
        self._path = path
        self._configuration = str(configuration or "")
        self._retention = retention
        self.note = ""
        """What people are to be told about the state itself; empty when all is well."""
        self._connection: sqlite3.Connection
        try:
            self._connection = connect(path)
        except DamagedStateError as error:
            self._rebuild(error)

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        configuration: Path | None = None,
        retention: Retention = Retention(),  # noqa: B008 - it is frozen
    ) -> Self:
        """Return the store of a folder; both are made when they are missing.

        Args:
            folder: the state's.
            configuration: whose state it is; each keeps the population of its own suite.
            retention: how long and how much is kept.

        Raises:
            StateError: the state cannot be used now.
        """
        return cls(folder / STATE_FILE, configuration=configuration, retention=retention)

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
            others = neighbours(connection, self._configuration)
            if others and not self.note:
                self.note = f"state {self._path}: {SHARED.format(', '.join(others))}"
            return read_state(connection, self._configuration)

        return self._repaired(read)

    def look_for_room(self, size: int, *, lock: bool) -> None:
        """Raise StateError where so many bytes more cannot be written; with `lock`, not now."""
        look_for_room(self._path, size)
        if lock:
            self._plain(look_for_lock)

    def spoken(self) -> Spoken:
        """Return the silences and acknowledgements as they are now, however long a run took."""

        def read(connection: sqlite3.Connection) -> Spoken:
            with damage_named():
                return read_spoken(connection)

        return self._plain(read)

    def record(
        self,
        run: Run,
        decision: Decision,
        outbox: Iterable[tuple[str, Message]],
        elsewhere: Path | None = None,
    ) -> None:
        """Write a run and the messages that are due, all or nothing.

        Args:
            run: which run it was.
            decision: what follows from it, with its report.
            outbox: the messages to deliver, each with the name of its notifier.
            elsewhere: where the runs before have kept what checks want to know next time.
        """
        messages = tuple(outbox)
        noted = self.note

        def write(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                if elsewhere:
                    write_memories(connection, read_judged(elsewhere), read_memories(elsewhere))
                write_run(connection, run, decision, messages, self._configuration)
                prune(connection, run.ended, self._retention)
                # A note of before is told by now; that of a repair just made is for the next run.
                write_fact(connection, _NOTE, "" if self.note == noted else self.note)

        self._repaired(write)

    def pending(self, notifier: str, /) -> Sequence[Queued]:
        """Return what waits for a notifier, oldest first: id, message, created, past attempts."""
        return self._plain(lambda connection: read_waiting(connection, notifier))

    def waited_for(self) -> Sequence[str]:
        """Return the names of the notifiers that anything waits for."""
        return self._plain(read_waited_for)

    def undelivered(self) -> Sequence[tuple[str, Message]]:
        """Return all that waits, each message with the name of its notifier."""
        return self._plain(read_undelivered)

    def remark(self, note: str) -> None:
        """Keep what the next run is to tell about the state."""
        self._plain(lambda connection: write_fact(connection, _NOTE, note))

    def mark_delivered(
        self, rows: Sequence[int], at: datetime, memory: Mapping[str, Any] | None = None, /
    ) -> None:
        """Keep that a notifier has taken messages, in one step with delivery's memory if given."""
        self._mark("delivered_at", at.timestamp(), rows, at.timestamp(), memory)

    def mark_failed(
        self, rows: Sequence[int], error: str, memory: Mapping[str, Any] | None = None, /
    ) -> None:
        """Keep that a notifier was tried in vain; the messages go on waiting."""
        self._mark("last_error", error, rows, time.time(), memory)

    def delivery_memory(self) -> Mapping[str, Any]:
        """Return the JSON document that delivery last kept, `{}` at first."""
        document = self._plain(read_facts).get(_DELIVERY)
        return document if isinstance(document, dict) else {}

    def keep_delivery_memory(self, memory: Mapping[str, Any], /) -> None:
        """Keep a small JSON document for the next run's delivery."""
        self._plain(lambda connection: write_fact(connection, _DELIVERY, dict(memory)))

    def _mark(
        self,
        column: str,
        value: object,
        rows: Sequence[int],
        tried: float,
        memory: Mapping[str, Any] | None,
    ) -> None:
        statement = (
            f"update notifications set {column} = ?, tried_at = ?, attempts = attempts + 1"  # noqa: S608 - the names are ours
            " where id = ?"
        )

        def write(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                connection.executemany(statement, ((value, tried, row) for row in rows))
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
        self.note += self._plain(lambda connection: salvage(kept, connection))
        self.remark(self.note)

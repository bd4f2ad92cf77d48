"""Reads the state for people: what is, what was, who was told; needs no right to write."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from yakei.incidents.remembered import Acknowledgement, State
from yakei.store.past import (
    Delivery,
    PastIncident,
    PastMeasure,
    PastOutcome,
    Waiting,
    delivery,
    past_incident,
    past_measure,
    past_outcome,
    waiting,
)
from yakei.store.reading import read_acknowledgements, read_facts, read_state
from yakei.store.speaking import as_state_error
from yakei.store.statefile import (
    BUSY,
    FAILURES,
    DamagedStateError,
    StateError,
    bring_up_to_date,
    damage_named,
    explained,
    version_of,
)
from yakei.store.tables import SCHEMA, VERSION
from yakei_shared.history import STATE_FILE

T = TypeVar("T")

_INCIDENTS = """
    select name, document, opened, closed, ending from incidents
    where closed is null or closed >= :since
    order by opened, id
"""
_DELIVERIES = """
    select notifier, reason, created, attempts, tried_at, delivered_at, superseded_at, last_error
    from told join notifications on id = notification
    where key = :key and (
        incident = :name or (incident = '' and created >= :begin and created <= :end)
    )
    order by notification
"""
_WAITING = """
    select notifier, count(*), min(created), max(attempts), max(tried_at), max(last_error)
    from notifications where delivered_at is null and superseded_at is null
    group by notifier order by notifier
"""
_OUTCOMES = """
    select started, outcome, severity, fact, duration
    from names join outcomes on "check" = names.number join runs on run = runs.number
    where name = :check and started >= :since order by run
"""
_MEASURES = """
    select started, measures.name, value, unit, "limit", status
    from names join measures on "check" = names.number join runs on run = runs.number
    where names.name = :check and started >= :since order by run
"""


class View:
    """The state file of one folder as it is now; an empty one where there is none.

    Every method raises StateError when the state cannot be read now.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / STATE_FILE
        self._connection = self._read(lambda: _opened(self._path))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._connection.close()

    def state(self, configuration: Path) -> State:
        """Return what a run with this configuration would go by, every incident with its name."""

        def read() -> State:
            state = read_state(self._connection, str(configuration))
            query = "select key, name from incidents where closed is null"
            incidents = {
                key: replace(state.incidents[key], id=state.incidents[key].id or name)
                for key, name in self._connection.execute(query)
            }
            return replace(state, incidents=incidents)

        return self._read(read)

    def note(self) -> str:
        """Return what people are to be told about the state itself."""
        return str(self._read(lambda: read_facts(self._connection)).get("note") or "")

    def checks(self) -> tuple[str, ...]:
        """Return the ids of all checks that are remembered, of whatever configuration."""
        return self._all(lambda row: str(row[0]), "select name from names order by name")

    def incidents(self, since: datetime | None) -> tuple[PastIncident, ...]:
        """Return what is open or was since then, oldest first; without a time, all that is kept."""
        return self._all(past_incident, _INCIDENTS, since=since.timestamp() if since else 0)

    def deliveries(self, incident: PastIncident) -> tuple[Delivery, ...]:
        """Return what was sent about an incident, oldest first."""
        end = incident.closed.timestamp() if incident.closed else math.inf
        key, begin = incident.incident.key, incident.opened.timestamp()
        name = incident.incident.id
        return self._all(delivery, _DELIVERIES, key=key, name=name, begin=begin, end=end)

    def acknowledgements(self) -> dict[str, Acknowledgement]:
        """Return the last acknowledgement of each incident, open or over, by its name."""
        return self._read(lambda: read_acknowledgements(self._connection))

    def waiting(self) -> tuple[Waiting, ...]:
        """Return what each channel has not taken yet."""
        return self._all(waiting, _WAITING)

    def outcomes(self, check: str, since: datetime) -> tuple[PastOutcome, ...]:
        """Return what a check did, oldest first."""
        return self._all(past_outcome, _OUTCOMES, check=check, since=since.timestamp())

    def measures(self, check: str, since: datetime) -> tuple[PastMeasure, ...]:
        """Return what a check measured, oldest first."""
        return self._all(past_measure, _MEASURES, check=check, since=since.timestamp())

    def _all(self, make: Callable[[Any], T], query: str, **values: object) -> tuple[T, ...]:
        rows = self._read(lambda: self._connection.execute(query, values).fetchall())
        return self._read(lambda: tuple(make(row) for row in rows))

    def _read(self, action: Callable[[], T]) -> T:
        try:
            with damage_named():
                return action()
        except FAILURES as error:
            raise as_state_error(explained(error, self._path), self._path) from None
        except DamagedStateError as error:
            raise as_state_error(error, self._path) from None


def _opened(path: Path) -> sqlite3.Connection:
    """Return a connection that only reads; an older version's file is read as a copy of it."""
    if not _is_there(path):
        empty = sqlite3.connect(":memory:", isolation_level=None)
        empty.executescript(SCHEMA)
        return empty
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY)
    if version_of(connection) == VERSION:
        return connection
    copy = sqlite3.connect(":memory:", isolation_level=None)
    with closing(connection):
        connection.backup(copy)
    bring_up_to_date(copy)
    return copy


def _is_there(path: Path) -> bool:
    """Return whether there is a state; that we may not look is not the same as that there is none.

    Raises:
        StateError: the folder may not be looked into.
    """
    try:
        path.stat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StateError(f"state {path}: {error.strerror or error}") from None
    return True

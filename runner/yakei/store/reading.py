"""Reads what is remembered out of the state file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple, TypeVar, get_type_hints

from yakei.incidents.remembered import (
    Acknowledgement,
    History,
    Incident,
    Silence,
    State,
)
from yakei.message import Message, Queued
from yakei.store.documents import from_document, read_value
from yakei.store.sharing import read_population
from yakei.store.statefile import damage_named

T = TypeVar("T")

_IN_TABLES = frozenset(
    {"incidents", "population", "histories", "last_failed", "silences", "acknowledgements"}
)


class Spoken(NamedTuple):
    """What people have said, which holds until it ends."""

    silences: tuple[Silence, ...] = ()
    """Those that nobody has ended; the time of some may be over."""
    acknowledgements: tuple[Acknowledgement, ...] = ()
    """The last one of each open incident."""


def read_state(connection: sqlite3.Connection, configuration: str = "") -> State:
    """Return what was last recorded.

    Args:
        connection: to the state file.
        configuration: whose suite the population is to be that of.

    Raises:
        DamagedStateError: a document in it is none of ours.
        sqlite3.Error: the file cannot be read.
    """
    with damage_named():
        return _state(connection, configuration)


def _state(connection: sqlite3.Connection, configuration: str) -> State:
    facts = read_facts(connection)
    rows = connection.execute("select key, document from incidents where closed is null")
    incidents = {key: document_as(Incident, document) for key, document in rows}
    rows = connection.execute("select check_id, document from histories")
    histories = {check: document_as(History, document) for check, document in rows}
    said = read_spoken(connection)
    rows = connection.execute(
        "select key, max(last_failure) from incidents where closed is not null group by key"
    )
    last_failed = {key: moment(at) for key, at in rows}
    known = {
        name: read_value(hint, facts[name])
        for name, hint in facts_of_a_state().items()
        if facts.get(name) is not None
    }
    return State(
        **known,
        incidents=incidents,
        population=read_population(connection, configuration),
        histories=histories,
        last_failed=last_failed,
        silences=said.silences,
        acknowledgements=said.acknowledgements,
    )


@cache
def facts_of_a_state() -> Mapping[str, Any]:
    """Return the types of what a state has one of each, by name: it is kept among the facts."""
    hints = get_type_hints(State)
    return {name: hint for name, hint in hints.items() if name not in _IN_TABLES}


def read_spoken(connection: sqlite3.Connection) -> Spoken:
    """Return the silences and acknowledgements that have not ended."""
    rows = connection.execute(
        'select id, pattern, until, reason, "by", at from silences where ended_at is null'
    )
    silences = tuple(_silence(row) for row in rows)
    rows = connection.execute("select name from incidents where closed is null")
    still_open = {name for (name,) in rows}
    said = read_acknowledgements(connection).values()
    known = tuple(each for each in said if each.incident in still_open)
    return Spoken(silences=silences, acknowledgements=known)


def read_acknowledgements(connection: sqlite3.Connection) -> dict[str, Acknowledgement]:
    """Return the last acknowledgement of each incident, open or over, by its name."""
    rows = connection.execute('select incident, reason, "by", at from acknowledgements order by id')
    return {
        incident: Acknowledgement(incident=incident, reason=reason, by=by, at=moment(at))
        for incident, reason, by, at in rows
    }


def read_facts(connection: sqlite3.Connection) -> Mapping[str, Any]:
    """Return the things of which there is one each, by name."""
    rows = connection.execute("select name, document from facts")
    with damage_named():
        return {name: json.loads(document) for name, document in rows}


def read_waiting(connection: sqlite3.Connection, notifier: str) -> list[Queued]:
    """Return the messages that a notifier has not delivered, oldest first."""
    rows = connection.execute(
        "select id, message, created, attempts from notifications"
        " where notifier = ? and delivered_at is null and superseded_at is null order by id",
        (notifier,),
    )
    with damage_named():
        return [
            Queued(number, document_as(Message, document), moment(created), int(attempts))
            for number, document, created, attempts in rows
        ]


def read_waited_for(connection: sqlite3.Connection) -> list[str]:
    """Return the names of the notifiers that have not delivered all that they shall."""
    rows = connection.execute(
        "select distinct notifier from notifications"
        " where delivered_at is null and superseded_at is null order by notifier"
    )
    return [name for (name,) in rows]


def read_undelivered(connection: sqlite3.Connection) -> list[tuple[str, Message]]:
    """Return the messages that wait for any notifier, each with its name, oldest first."""
    waiting = [
        (name, each)
        for name in read_waited_for(connection)
        for each in read_waiting(connection, name)
    ]
    return [(name, each.message) for name, each in sorted(waiting, key=lambda row: row[1].id)]


def moment(seconds: float) -> datetime:
    """Return the aware time that a column holds."""
    return datetime.fromtimestamp(seconds, UTC)


def _silence(row: Any) -> Silence:
    number, pattern, until, reason, by, at = row
    return Silence(
        id=str(number), pattern=pattern, until=moment(until), reason=reason, by=by, at=moment(at)
    )


def document_as(cls: type[T], document: Any) -> T:
    """Return the object of a document, which may still be JSON text."""
    return from_document(cls, json.loads(document) if isinstance(document, str) else document)

"""Reads what is remembered out of the state file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from yakei.incidents.remembered import CompleteRun, Flapping, Held, History, Incident, State
from yakei.message import Message
from yakei.store.documents import from_document
from yakei.store.statefile import DamagedStateError

T = TypeVar("T")

Row = tuple[int, Message, datetime, int]
"""A message that waits for one notifier: id, message, when it was created, past attempts."""


def read_state(connection: sqlite3.Connection) -> State:
    """Return what was last recorded.

    Raises:
        DamagedStateError: a document in it is none of ours.
        sqlite3.Error: the file cannot be read.
    """
    with _damage_named():
        return _state(connection)


def _state(connection: sqlite3.Connection) -> State:
    facts = read_facts(connection)
    rows = connection.execute("select key, document from incidents where closed is null")
    incidents = {key: _as(Incident, document) for key, document in rows}
    rows = connection.execute("select check_id, document from histories")
    histories = {check: _as(History, document) for check, document in rows}
    rows = connection.execute("select check_id from population order by rowid")
    population = tuple(check for (check,) in rows)
    rows = connection.execute(
        "select key, max(last_failure) from incidents where closed is not null group by key"
    )
    last_failed = {key: datetime.fromtimestamp(at, UTC) for key, at in rows}
    complete, last_run = facts.get("last_complete"), facts.get("last_run")
    owed = (_as(Incident, each) for each in facts.get("owed", ()))
    flapping = (_as(Flapping, each) for each in facts.get("flapping", ()))
    return State(
        incidents=incidents,
        population=population,
        last_run=datetime.fromtimestamp(last_run, UTC) if last_run else None,
        last_complete=_as(CompleteRun, complete) if complete else None,
        told=frozenset(facts.get("told", ())),
        held=tuple(_as(Held, each) for each in facts.get("held", ())),
        owed={each.key: each for each in owed},
        flapping={each.key: each for each in flapping},
        histories=histories,
        last_failed=last_failed,
    )


def read_facts(connection: sqlite3.Connection) -> Mapping[str, Any]:
    """Return the things of which there is one each, by name."""
    rows = connection.execute("select name, document from facts")
    with _damage_named():
        return {name: json.loads(document) for name, document in rows}


def read_waiting(connection: sqlite3.Connection, notifier: str) -> list[Row]:
    """Return the messages that a notifier has not delivered, oldest first."""
    rows = connection.execute(
        "select id, message, created, attempts from notifications"
        " where notifier = ? and delivered_at is null and superseded_at is null order by id",
        (notifier,),
    )
    with _damage_named():
        return [
            (number, _as(Message, document), datetime.fromtimestamp(created, UTC), int(attempts))
            for number, document, created, attempts in rows
        ]


def _as(cls: type[T], document: Any) -> T:
    return from_document(cls, json.loads(document) if isinstance(document, str) else document)


@contextmanager
def _damage_named() -> Iterator[None]:
    """Turn what damaged rows make of our reading into the one exception for it."""
    try:
        yield
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError, OSError) as error:
        raise DamagedStateError(f"a row cannot be read: {type(error).__name__}") from None

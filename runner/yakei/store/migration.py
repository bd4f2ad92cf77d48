"""Brings a state file of an earlier version up to date, in place and with all that is in it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

from yakei.store.naming import name_of
from yakei.store.tables import BY_AGE, POPULATION, SPOKEN, TOLD, VERSION


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Change the tables from an older version's to ours; the caller has begun a transaction.

    Raises:
        sqlite3.Error, TypeError, ValueError: what is in the file is not what that version wrote.
    """
    for step in _STEPS[version:]:
        for statement in step(connection):
            connection.execute(statement)
    connection.execute(f"pragma user_version = {VERSION}")


def can_migrate(version: int) -> bool:
    """Return whether a state of this version can be brought up to date."""
    return 0 < version < VERSION


def _nothing(_: sqlite3.Connection) -> Iterator[str]:
    yield from ()


def _to_2(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield what brings silences, acknowledgements, incidents' names and who was told what."""
    yield "alter table incidents add column name text not null default ''"
    yield "alter table notifications add column tried_at real"
    yield "alter table population rename to earlier_population"
    yield from _statements(POPULATION + TOLD + SPOKEN + BY_AGE)
    yield "insert into population select check_id, '' from earlier_population order by rowid"
    yield "drop table earlier_population"
    yield (
        "update facts set document = json_quote(strftime('%Y-%m-%dT%H:%M:%f+00:00', document,"
        " 'unixepoch')) where name = 'last_run' and document <> 'null'"
    )
    yield "update notifications set tried_at = delivered_at"
    incidents = connection.execute("select id, key, document from incidents").fetchall()
    for number, key, document in incidents:
        incident = json.loads(document)
        name = name_of(key, incident["since"])
        values = (name, json.dumps({**incident, "id": name}), number)
        connection.execute("update incidents set name = ?, document = ? where id = ?", values)
    for number, message in connection.execute("select id, message from notifications"):
        keys = dict.fromkeys(json.loads(message).get("keys", ()))
        connection.executemany(
            "insert into told values (?, ?, '', '')", ((number, k) for k in keys)
        )


def _statements(script: str) -> Iterator[str]:
    """Yield the statements one by one: `executescript` would commit what was begun."""
    begun = ""
    for line in script.splitlines(keepends=True):
        begun += line
        if sqlite3.complete_statement(begun):
            yield begun
            begun = ""


_STEPS = (_nothing, _to_2)
"""What leads from each version to the next."""

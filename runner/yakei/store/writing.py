"""Writes a run into the state file: what was found, what is remembered, what is to be delivered."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from yakei.incidents import Decision
from yakei.incidents.remembered import Incident, State
from yakei.message import Message
from yakei.report.tally import JUDGED, tally
from yakei.results import CheckResult
from yakei.store.documents import to_document
from yakei.store.naming import named
from yakei.store.reading import facts_of_a_state, read_waiting
from yakei.store.sharing import use, write_population
from yakei.store.statefile import DamagedStateError


class Run(NamedTuple):
    """Which run it was, and when."""

    id: str
    started: datetime
    ended: datetime


def write_run(
    connection: sqlite3.Connection,
    run: Run,
    decision: Decision,
    outbox: Iterable[tuple[str, Message]],
    configuration: str = "",
) -> None:
    """Write all that follows from a run; the caller has begun a transaction and commits it.

    What people have said is not written: they may have said more since the run read it.
    """
    number = _write_run(connection, run, decision)
    for result in decision.report.results:
        _write_result(connection, number, result)
    _write_memories(connection, run, decision)
    _write_incidents(connection, run, decision)
    _write_state(connection, decision.state)
    if decision.complete:
        write_population(connection, configuration, decision.state.population)
    use(connection, configuration, number, complete=decision.complete)
    for notifier, message in outbox:
        enqueue(connection, notifier, message)


def write_fact(connection: sqlite3.Connection, name: str, value: Any) -> None:
    """Write a thing of which there is one, over what was there."""
    connection.execute("replace into facts values (?, ?)", (name, _json(value)))


def _write_run(connection: sqlite3.Connection, run: Run, decision: Decision) -> int:
    report = decision.report
    row = {
        "id": run.id,
        "started": run.started.timestamp(),
        "ended": run.ended.timestamp(),
        "complete": decision.complete,
        "partial": report.partial,
        "failing": decision.failing,
        "broken": decision.broken,
        "summary": tally(report.results, len(report.not_due)),
        "problems": _json([[each.kind, each.text] for each in report.problems]),
    }
    cursor = connection.execute(
        "insert into runs (id, started, ended, complete, partial, failing, broken, summary,"
        " problems) values (:id, :started, :ended, :complete, :partial, :failing, :broken,"
        " :summary, :problems)",
        row,
    )
    return cursor.lastrowid or 0


def _write_result(connection: sqlite3.Connection, run: int, result: CheckResult) -> None:
    connection.execute("insert or ignore into names (name) values (?)", (result.id,))
    found = connection.execute("select number from names where name = ?", (result.id,)).fetchone()
    if found is None:
        raise DamagedStateError("an index does not find what was just written")
    (check,) = found
    said = (result.outcome, result.severity, result.fact, result.duration, _json(result.notes))
    connection.execute("replace into outcomes values (?, ?, ?, ?, ?, ?, ?)", (run, check, *said))
    connection.executemany(
        "replace into measures values (?, ?, ?, ?, ?, ?, ?)",
        (
            (run, check, each.name, each.value, each.unit, each.limit, each.status)
            for each in result.measures
        ),
    )


def _write_memories(connection: sqlite3.Connection, run: Run, decision: Decision) -> None:
    """Keep what the checks that were judged want to know next time."""
    judged = [each for each in decision.report.results if each.outcome in JUDGED]
    write_memories(
        connection,
        {each.id: run.started.timestamp() for each in judged if not _is_due_again(each, decision)},
        {each.id: each.memory for each in judged if each.memory is not None},
    )
    for table in ("memory", "judged", "histories"):
        connection.executemany(
            f"delete from {table} where check_id = ?",  # noqa: S608 - the names are ours
            ((check,) for check in decision.forgotten),
        )


def _is_due_again(result: CheckResult, decision: Decision) -> bool:
    """Return whether the next run judges a check once more, however seldom its time comes.

    The deadline of a full run may end what needed a few seconds more; that must not stay so for a
    day. Once only: a check that never fits would break each run.
    """
    incident = decision.state.incidents.get(result.id)
    return result.cut_off and incident is not None and incident.runs == 1


def write_memories(
    connection: sqlite3.Connection,
    judged: Mapping[str, float],
    memories: Mapping[str, dict[str, Any]],
) -> None:
    """Write when checks were judged, and what they want to know next time."""
    connection.executemany("replace into judged values (?, ?)", judged.items())
    connection.executemany(
        "replace into memory values (?, ?)",
        ((check, _json(memory)) for check, memory in memories.items()),
    )


def _write_incidents(connection: sqlite3.Connection, run: Run, decision: Decision) -> None:
    connection.executemany(
        "insert into incidents (key, opened, last_failure, document, name) values (?, ?, ?, ?, ?)"
        " on conflict (key) where closed is null"
        " do update set last_failure = excluded.last_failure, document = excluded.document,"
        # an incident that does not know its name keeps the one that it was given here
        " name = coalesce(nullif(?, ''), name)",
        ((*_incident_row(each), each.id) for each in decision.state.incidents.values()),
    )
    endings = {"recovered": decision.recovered, "removed": decision.removed}
    for ending, incidents in endings.items():
        for incident in incidents:
            _close(connection, incident, run.ended, ending)


def _close(connection: sqlite3.Connection, incident: Incident, at: datetime, ending: str) -> None:
    cursor = connection.execute(
        "update incidents set closed = ?, ending = ? where key = ? and closed is null",
        (at.timestamp(), ending, incident.key),
    )
    if not cursor.rowcount:  # the state had to be rebuilt in between
        connection.execute(
            "insert into incidents (key, opened, last_failure, document, name, closed, ending)"
            " values (?, ?, ?, ?, ?, ?, ?)",
            (*_incident_row(incident), at.timestamp(), ending),
        )


def _incident_row(incident: Incident) -> tuple[str, float, float, str, str]:
    opened, failed = incident.since.timestamp(), incident.last_failure.timestamp()
    return incident.key, opened, failed, _json(to_document(incident)), named(incident)


def _write_state(connection: sqlite3.Connection, state: State) -> None:
    connection.executemany(
        "replace into histories values (?, ?)",
        ((check, _json(to_document(each))) for check, each in state.histories.items()),
    )
    for name in facts_of_a_state():
        write_fact(connection, name, to_document(getattr(state, name)))


def enqueue(connection: sqlite3.Connection, notifier: str, message: Message) -> None:
    """Put a message into the outbox; it stands for waiting ones that tell nothing besides."""
    at = message.created.timestamp()
    for earlier in read_waiting(connection, notifier):
        if earlier.message.repeatable and set(earlier.message.keys) <= set(message.keys):
            connection.execute(
                "update notifications set superseded_at = ? where id = ?", (at, earlier.id)
            )
    cursor = connection.execute(
        "insert into notifications (created, notifier, message) values (?, ?, ?)",
        (at, notifier, _json(to_document(message))),
    )
    told = {each.key: (each.incident, each.reason) for each in message.items}
    rows = (
        (cursor.lastrowid, key, *told.get(key, ("", ""))) for key in dict.fromkeys(message.keys)
    )
    connection.executemany(
        "insert into told (notification, key, incident, reason) values (?, ?, ?, ?)", rows
    )


def _json(value: Any) -> str:
    return json.dumps(value, default=str)

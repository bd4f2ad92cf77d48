"""Takes out of a damaged state what nobody would say again: silences, and messages that wait."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from yakei.message import Message
from yakei.store.reading import read_spoken, read_undelivered
from yakei.store.statefile import FAILURES, DamagedStateError, damage_named
from yakei.store.writing import enqueue

_SILENCES = 'select id, pattern, until, reason, "by", at, ended_at, ended_by from silences'


def salvage(kept: Path, connection: sqlite3.Connection) -> str:
    """Put into a new state what can be read of the old one, and return what that is.

    All else is found again by the next run: an incident that goes on is told anew.
    """
    silences, messages = list(_silences(kept)), list(_messages(kept))
    connection.executemany("insert into silences values (?, ?, ?, ?, ?, ?, ?, ?)", silences)
    for notifier, message in messages:
        enqueue(connection, notifier, message)
    counts = ((len(silences), "silences"), (len(messages), "waiting messages"))
    found = " and ".join(f"{number} {what}" for number, what in counts if number)
    return f" ({found} could be saved)" if found else ""


def _silences(kept: Path) -> Iterator[tuple[object, ...]]:
    try:
        with _reading(kept) as old, damage_named():
            read_spoken(old)  # every one of them is what it should be
            yield from old.execute(_SILENCES).fetchall()
    except (*FAILURES, DamagedStateError):
        return


def _messages(kept: Path) -> Iterator[tuple[str, Message]]:
    try:
        with _reading(kept) as old:
            yield from read_undelivered(old)
    except (*FAILURES, DamagedStateError):
        return


def _reading(kept: Path) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(f"{kept.absolute().as_uri()}?mode=ro", uri=True))

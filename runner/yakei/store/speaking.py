"""Writes what people say between two runs, or during one: silences and acknowledgements.

Nothing here makes a state, nor sets a damaged one aside: who says something may be another user
than the one whose crontab calls us, and would leave a file that the runs cannot write.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from yakei.incidents.remembered import Acknowledgement, Silence
from yakei.store.statefile import FAILURES, DamagedStateError, StateError, connect, explained
from yakei_shared.history import STATE_FILE


def add_silence(folder: Path, silence: Silence) -> str:
    """Keep a silence, whose own id is not looked at, and return the id that it is given.

    Raises:
        StateError: there is no state, or it cannot be written now.
    """
    columns = (silence.pattern, silence.until.timestamp(), silence.reason, silence.by)
    with _writing(folder) as connection:
        cursor = connection.execute(
            'insert into silences (pattern, until, reason, "by", at) values (?, ?, ?, ?, ?)',
            (*columns, silence.at.timestamp()),
        )
        return str(cursor.lastrowid)


def end_silence(folder: Path, silence: str, *, by: str, at: datetime) -> bool:
    """End a silence before its time, and return whether there was one that had not ended.

    Raises:
        StateError: there is no state, or it cannot be written now.
    """
    with _writing(folder) as connection:
        cursor = connection.execute(
            "update silences set ended_at = ?, ended_by = ?"
            " where cast(id as text) = ? and ended_at is null and until > ?",
            (at.timestamp(), by, silence, at.timestamp()),
        )
        return cursor.rowcount > 0


def add_acknowledgement(folder: Path, acknowledgement: Acknowledgement) -> None:
    """Keep that somebody knows of an incident.

    Raises:
        StateError: there is no state, or it cannot be written now.
    """
    said = acknowledgement
    with _writing(folder) as connection:
        connection.execute(
            'insert into acknowledgements (incident, reason, "by", at) values (?, ?, ?, ?)',
            (said.incident, said.reason, said.by, said.at.timestamp()),
        )


@contextmanager
def _writing(folder: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection to a state that is there; a run that is writing is waited for."""
    path = folder / STATE_FILE
    try:
        with closing(connect(path, make=False)) as connection:
            yield connection
    except FAILURES as error:
        raise as_state_error(explained(error, path), path) from None
    except DamagedStateError as error:
        raise as_state_error(error, path) from None


def as_state_error(error: StateError | DamagedStateError, path: Path) -> StateError:
    """Return what to say of a state that is not set aside here."""
    if isinstance(error, StateError):
        return error
    return StateError(f"state {path}: {error}; the next run sets it aside, and begins a new one")

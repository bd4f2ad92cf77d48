"""Reads what the runner remembers: a check's memory, and when it was last judged."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

STATE_FILE = "state.sqlite3"
"""The file in the state folder; only the runner writes it."""


def read_memories(folder: Path) -> dict[str, dict[str, Any]]:
    """Return each check's memory by its id; empty when nothing is remembered or readable."""
    rows = _read(folder, "select check_id, document from memory")
    memories = {}
    for check_id, document in rows:
        try:
            memories[str(check_id)] = dict(json.loads(document))
        except (ValueError, TypeError):
            continue  # a damaged document is a first run again; the runner tells a damaged state
    return memories


def read_judged(folder: Path) -> dict[str, float]:
    """Return when each check was last judged, in seconds since the epoch."""
    return {str(check): float(at) for check, at in _read(folder, "select check_id, at from judged")}


def read_durations(folder: Path) -> dict[str, float]:
    """Return how many seconds each check took in the last run that was a whole one.

    It is worth no waiting: a state that somebody has locked is one that nobody can read.
    """
    query = (
        'select name, duration from outcomes join names on names.number = outcomes."check"'
        " where run = (select max(number) from runs where not partial)"
    )
    return {str(check): float(took) for check, took in _read(folder, query, patience=0.0)}


def _read(folder: Path, query: str, *, patience: float = 5.0) -> list[tuple[Any, ...]]:
    path = folder / STATE_FILE
    if not path.is_file():
        return []
    import sqlite3  # most checks ask for nothing that was remembered

    try:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=patience)) as state:
            return state.execute(query).fetchall()
    except sqlite3.Error:
        return []  # the runner says what is wrong with its state; a check then starts afresh

"""Reads out of the state file how the last complete run went, beside whoever writes to it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from yakei.pace import Pace, SlowCheck
from yakei.report.tally import JUDGED
from yakei_shared.history import STATE_FILE

_SLOWEST = 5
_USUAL_RUNS = 20
"""Runs that say what is usual: enough that one bad night does not."""
_RAN = f"outcome in ({', '.join(repr(str(each)) for each in sorted(JUDGED))})"
_SLOW = f"""
    select name, duration, "check" from outcomes join names on names.number = "check"
    where run = ? and {_RAN} order by duration desc, name limit ?
"""  # noqa: S608 - the words are ours
_BEFORE = f"""
    select duration from outcomes where "check" = ? and run < ? and {_RAN}
    order by run desc limit ?
"""  # noqa: S608 - the words are ours


def read_pace(folder: Path) -> Pace | None:
    """Return how long the last complete run took, and its slowest checks.

    None when there was none yet, or the state cannot be read; whoever opens it says why.
    """
    path = folder / STATE_FILE
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as state:
            return _pace(state)
    except sqlite3.Error:
        return None


def _pace(state: sqlite3.Connection) -> Pace | None:
    last = state.execute(
        "select number, started, ended from runs where complete order by number desc limit 1"
    ).fetchone()
    if last is None:
        return None
    run, started, ended = last
    rows = state.execute(_SLOW, (run, _SLOWEST)).fetchall()
    slowest = (
        SlowCheck(id=name, seconds=seconds, usual=_usual(state, check, run))
        for name, seconds, check in rows
    )
    return Pace(took=timedelta(seconds=ended - started), slowest=tuple(slowest))


def _usual(state: sqlite3.Connection, check: int, run: int) -> float | None:
    """Return the median of a check's time in the runs before."""
    rows = state.execute(_BEFORE, (check, run, _USUAL_RUNS))
    durations = sorted(float(seconds) for (seconds,) in rows)
    return durations[len(durations) // 2] if durations else None

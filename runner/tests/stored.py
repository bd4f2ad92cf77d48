"""Records runs and reads them back, for the tests of the state file."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from suites import NIGHT, POLICY, QUEUE

from yakei.incidents import Decision, decide
from yakei.message import Message
from yakei.results import RunReport, Severity
from yakei.store import Run, Store
from yakei.store.makeshift import places
from yakei_shared.history import STATE_FILE

RUN = Run(id="20260118-0300-4711", started=NIGHT, ended=NIGHT + timedelta(seconds=1))
NEWS = Message(
    subject="[CRIT] app01 queue: 1396 waiting",
    body="1396 rows \N{WARNING SIGN}\n",
    severity=Severity.CRITICAL,
    created=NIGHT,
    run_id=RUN.id,
    keys=(QUEUE,),
    repeatable=True,
)


def record(
    store: Store, report: RunReport, *outbox: tuple[str, Message], at: datetime = NIGHT
) -> Decision:
    """Decide about a run and record it."""
    decision = decide(store.load(), report, POLICY, at)
    store.record(RUN._replace(started=at, ended=at), decision, outbox)
    return decision


def forget_makeshift(folder: Path) -> None:
    """Remove what runs have kept elsewhere while this state folder could not be written."""
    name = next(places(folder)).name
    for base in Path("/dev/shm").glob("yakei-*"):
        shutil.rmtree(base / name, ignore_errors=True)
        with suppress(OSError):  # others are in it
            base.rmdir()


def rows(folder: Path, query: str) -> list[Any]:
    """Return what another program would read."""
    uri = f"{(folder / STATE_FILE).as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as reader:
        return reader.execute(query).fetchall()

"""A log of slon to read, written by the test."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bystanders import context_of

from pytest_yakei.findings import Findings
from pytest_yakei.probes.slony import Settings, Slony, probe

NOW = datetime(2026, 3, 29, 3, 0, 30, tzinfo=UTC)
RECENT = NOW - timedelta(minutes=3)
OLD = NOW - timedelta(hours=20)
STATEMENT = (
    'localListenThread: "select "_c".cleanupNodelock(); insert into "_c".sl_nodelock values '
    '(    1, 0, "pg_catalog".pg_backend_pid()); " - '
)
WORDINGS = {
    "old": 'ERROR:  duplicate key violates unique constraint "sl_nodelock-pkey"',
    "new": 'ERROR:  duplicate key value violates unique constraint "sl_nodelock-pkey"',
    "Japanese": 'ERROR:  重複キーが一意性制約"sl_nodelock-pkey"に違反しています',
}
AFTERWARDS = (
    "FATAL  Do you already have a slon running against this node?",
    "FATAL  Or perhaps a residual idle backend connection from a dead slon?",
    "FATAL  main: localListenThread did not start",
    "INFO   slon: exit(0)",
)
REFUSED = "slon was refused its node lock 3 min ago"


def stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC "


class Log:
    """A log in a file, and what a check with this memory says of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.memory: dict[str, Any] = {}
        path.write_bytes(b"")

    def write(self, *lines: str, at: datetime = NOW, encoding: str = "utf-8") -> None:
        """Append lines, as if at that time."""
        with self.path.open("a", encoding=encoding) as file:
            file.writelines(f"{line}\n" for line in lines)
        os.utime(self.path, (at.timestamp(), at.timestamp()))

    def refused(self, now: datetime = NOW) -> Findings:
        """Return what the log tells of duplicate keys."""
        return self._probe(now).refused_starts()

    def ended(self, now: datetime = NOW) -> Findings:
        """Return what the log tells of slon's other ends."""
        return self._probe(now).fatal_ends()

    def _probe(self, now: datetime) -> Slony:
        settings = Settings(database="main", cluster="c", log=self.path)
        return probe(context_of(settings, memory=self.memory, now=now))


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """An empty log."""
    return Log(tmp_path / "slon.log")

"""A database of each kind to watch, and contexts whose `database` is connected to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_yakei.context import Context
from pytest_yakei.databases import Database, connect

Execute = Callable[[str], Any]


@dataclass
class Place:
    """A database of its own: our read-only connection, and a way to change what is in it."""

    url: str
    execute: Execute
    database: Database
    notes: list[str] = field(default_factory=list)

    def context(
        self, settings: Any, *, memory: dict[str, Any] | None = None, now: datetime | None = None
    ) -> Context[Any]:
        """Return what a probe is given for an entry called `main`, whatever database it names."""
        return Context(
            name="main",
            settings=settings,
            database=lambda name: self.database,
            memory={} if memory is None else memory,
            now=now or datetime.now(UTC),
            note=self.notes.append,
        )


@contextmanager
def sqlite_place(folder: Path, setup: Sequence[str] = ()) -> Iterator[Place]:
    """Yield an SQLite file."""
    path = folder / "place.db"

    def execute(sql: str) -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(sql)

    execute("pragma user_version = 1")  # makes it a database
    with _place(f"sqlite:///{path}", execute, setup) as place:
        yield place


@contextmanager
def server_place(server: Any, setup: Sequence[str] = (), *, user: str = "") -> Iterator[Place]:
    """Yield a new database of a PostgreSQL or MariaDB server, as that user or its superuser."""
    name = server.create_database("place")
    url = server.url(name, user=user or server.superuser)
    with _place(url, lambda sql: server.execute(sql, database=name), setup) as place:
        yield place


@contextmanager
def _place(url: str, execute: Execute, setup: Sequence[str]) -> Iterator[Place]:
    for statement in setup:
        execute(statement)
    with closing(connect("main", url)) as database:
        yield Place(url, execute, database)

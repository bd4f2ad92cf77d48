"""Read-only connections of our own to the databases that an application uses."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from pytest_yakei.databases.database import Database, Session
from pytest_yakei.databases.deadlines import Timeouts
from pytest_yakei.databases.failures import Cause, QueryFailed
from pytest_yakei.databases.passwords import secrets_of
from pytest_yakei.databases.settings import ConfiguredDatabase
from pytest_yakei.databases.urls import Target, file_of, parse
from pytest_yakei.errors import NotConfigured

__all__ = [
    "Cause",
    "Database",
    "QueryFailed",
    "Timeouts",
    "check_target",
    "connect",
    "open_session",
    "secrets_of",
]

USUAL = Timeouts()


def check_target(target: str | Mapping[str, Any]) -> None:
    """Raise ValueError, in a text without secrets, if the target names no database."""
    parse(target)


def connect(
    name: str,
    target: str | Mapping[str, Any],
    *,
    timeouts: Timeouts = USUAL,
    base: Path = Path(),
) -> Database:
    """Connect to a configured database, for reading only; the caller closes it.

    Args:
        name: what the configuration calls it.
        target: where it is: a URL, a libpq connection string, or a mapping such as Django's.
        timeouts: how long to wait for what.
        base: the folder in which a relative path of an SQLite database starts.

    Raises:
        ResourceUnavailable: there is no connection to be had; no text holds a password.
        NotConfigured: the target names no database.
    """
    try:
        parsed = parse(target)
    except ValueError as error:
        raise NotConfigured(f"databases.{name}", str(error)) from None
    return Database(name, parsed.kind, partial(_open, name, parsed, timeouts, base), timeouts)


def open_session(database: ConfiguredDatabase) -> Session:
    """Connect to a database of the configuration, for reading only.

    Raises:
        ResourceUnavailable: there is no connection to be had; no text holds a password.
        NotConfigured: the driver does not understand the setting.
    """
    return _open(database.name, database.target, database.timeouts, database.base)


def _open(name: str, target: Target, timeouts: Timeouts, base: Path) -> Session:
    """Open a session; a driver is imported by the first database of its kind."""
    if target.kind == "postgresql":
        from pytest_yakei.databases import postgres

        return postgres.open_session(name, target, timeouts)
    if target.kind == "mysql":
        from pytest_yakei.databases import mysql

        return mysql.open_session(name, target, timeouts)
    from pytest_yakei.databases import sqlite

    return sqlite.open_session(name, file_of(target, base), timeouts)

"""SQLite: a file that is opened for reading only, and never created."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from pytest_yakei.databases.database import Row
from pytest_yakei.databases.deadlines import Timeouts, TooLate, within
from pytest_yakei.databases.failures import Cause, one_line, timed_out
from pytest_yakei.errors import ResourceUnavailable
from yakei_shared.durations import format_duration

STEPS = 10_000
"""Instructions of SQLite's machine between two looks at the clock: some tenths of a millisecond."""
PRIMARY_CODE = 0xFF
"""SQLite's extended codes carry the primary one in their lowest byte."""
CAUSES = {
    sqlite3.SQLITE_BUSY: Cause.LOCKED,
    sqlite3.SQLITE_LOCKED: Cause.LOCKED,
    sqlite3.SQLITE_INTERRUPT: Cause.TOO_SLOW,
    sqlite3.SQLITE_READONLY: Cause.READ_ONLY,
    sqlite3.SQLITE_PERM: Cause.DENIED,
}
Stamp = tuple[int, int, bool]


class SQLiteSession:
    """One connection to a file.

    A file in WAL mode cannot be read where its folder cannot be written, unless it is taken for
    immutable; `immutable` is its stamp then, and a changed stamp ends the session.
    """

    errors: tuple[type[Exception], ...] = (sqlite3.Error,)
    database = ""

    def __init__(self, path: Path, timeouts: Timeouts, *, immutable: Stamp | None = None) -> None:
        self.address = str(path)
        self._path = path
        self._timeouts = timeouts
        self._immutable = immutable
        mode = "mode=ro&immutable=1" if immutable else "mode=ro"
        self.connection = sqlite3.connect(
            f"file:{quote(str(path))}?{mode}",
            uri=True,
            timeout=timeouts.lock.total_seconds(),
            isolation_level=None,
            check_same_thread=False,  # a deadline's thread runs the statements, one at a time
        )

    @property
    def broken(self) -> bool:
        """Whether somebody has changed the file that was taken for immutable."""
        return self._immutable is not None and self._immutable != stamp(self._path)

    def begin(self) -> None:
        """Read the file for the first time; attached files are kept from changes too."""
        self.fetch("pragma schema_version", ())
        self.fetch("pragma query_only = on", ())

    def fetch(self, sql: str, params: Sequence[object]) -> list[Row]:
        """Run a statement and return its rows; SQLite itself ends it when it takes too long."""
        end = time.monotonic() + self._timeouts.statement.total_seconds()
        self.connection.set_progress_handler(lambda: time.monotonic() > end, STEPS)
        return self.connection.execute(sql, tuple(params)).fetchall()

    def hang_up(self) -> None:
        """Ask SQLite to stop; only a file system that hangs lets it come to this."""
        with suppress(sqlite3.Error):
            self.connection.interrupt()

    def explain(self, error: Exception) -> tuple[Cause, str]:
        """Return the cause by SQLite's code, and its own words where ours say less."""
        said = one_line(str(error))
        if said.startswith("no such table: "):
            return Cause.MISSING, f"table {said.partition(': ')[2]} does not exist"
        code = getattr(error, "sqlite_errorcode", 0) & PRIMARY_CODE
        cause = CAUSES.get(code, Cause.REFUSED)
        words = {
            Cause.TOO_SLOW: f"no answer within {format_duration(self._timeouts.statement)}",
            Cause.LOCKED: f"waited {format_duration(self._timeouts.lock)} for a lock in vain",
        }
        return cause, words.get(cause, said)

    def close(self) -> None:
        """End the connection."""
        with suppress(sqlite3.Error):
            self.connection.close()


def stamp(path: Path) -> Stamp:
    """Return what changes when somebody writes to a database file."""
    try:
        status = path.stat()
    except OSError:
        return (0, 0, False)
    return (status.st_mtime_ns, status.st_size, _has_wal(path))


def _has_wal(path: Path) -> bool:
    wal = path.with_name(f"{path.name}-wal")
    return wal.exists() and wal.stat().st_size > 0


def open_session(name: str, path: Path, timeouts: Timeouts) -> SQLiteSession:
    """Open the file.

    Raises:
        ResourceUnavailable: there is no such file, it cannot be read, or it is no SQLite database.
    """
    try:
        return within(timeouts.connect, lambda: _open(path, timeouts), lambda: None)
    except TooLate:
        reason = f"{timed_out(timeouts.connect)} at {path}"
    except OSError as error:
        reason = f"{(error.strerror or type(error).__name__).lower()}: {path}"
    except sqlite3.Error as error:
        reason = f"{one_line(str(error))}: {path}"
    raise ResourceUnavailable(f"database {name}", reason)


def _open(path: Path, timeouts: Timeouts) -> SQLiteSession:
    _look(path)
    session = SQLiteSession(path, timeouts)
    try:
        session.begin()
    except sqlite3.OperationalError:
        session.close()
        if _has_wal(path) or os.access(path.parent, os.W_OK):
            raise
        session = SQLiteSession(path, timeouts, immutable=stamp(path))
        session.begin()
    return session


def _look(path: Path) -> None:
    """Raise an OSError that says more than SQLite's "unable to open database file".

    The file is not opened for it: closing it again would take away the locks that this process
    may hold on it (https://www.sqlite.org/howtocorrupt.html, section 2.2).
    """
    path.stat()
    if path.is_dir():
        raise IsADirectoryError(None, "is a folder")
    if not os.access(path, os.R_OK):
        raise PermissionError(None, "no permission to read")

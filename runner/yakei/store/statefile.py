"""Opens the state file, sets a damaged one aside, and says what is wrong in one clear line."""

from __future__ import annotations

import errno
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from yakei.store.migration import can_migrate, migrate
from yakei.store.tables import APPLICATION, SCHEMA, VERSION

BUSY = 5.0
"""Seconds to wait for another process that is writing."""
_JOURNAL = "-journal"
"""SQLite's own file beside the database; it belongs to that database alone."""
_PRIMARY = 0xFF
"""SQLite's extended error codes have the primary one in their lowest byte."""
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}
"""SQLITE_ERROR is a missing table: the file was made by something else."""
_FULL = "the disk is full; make room there"
_NO_RIGHT = "it may not be written; look at its owner and mode, and its folder's"
_SAID = {
    sqlite3.SQLITE_BUSY: f"another process has been writing to it for {BUSY:g} s",
    sqlite3.SQLITE_LOCKED: f"another process has been writing to it for {BUSY:g} s",
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; look at the owner and mode of its folder",
    sqlite3.SQLITE_PERM: "it may not be used; look at its owner and mode",
    sqlite3.SQLITE_IOERR: "reading or writing it fails; is the disk broken or full?",
}


FAILURES = (sqlite3.Error, UnicodeDecodeError)
"""What SQLite raises; the latter when it wants to quote damaged bytes in an error's text."""


class StateError(Exception):
    """The state cannot be used now; the text is one line: which file, what is wrong, what to do."""


class DamagedStateError(Exception):
    """The state file is there and cannot be read; its text is why."""


def connect(path: Path, *, make: bool = True) -> sqlite3.Connection:
    """Return a connection to the state file, of our version.

    Args:
        path: the file.
        make: whether to make it when there is none.

    Raises:
        DamagedStateError: the file is no state of ours, or a newer version's.
        StateError: the file cannot be made, opened or read.
    """
    try:
        if make:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists():
                _create(path)
        connection = _opened(path)
    except OSError as error:
        raise StateError(f"state {path}: {error.strerror or error}") from None
    except FAILURES as error:
        raise explained(error, path) from None
    try:
        bring_up_to_date(connection)
    except FAILURES as error:
        connection.close()
        raise explained(error, path) from None
    except DamagedStateError:
        connection.close()
        raise
    return connection


def bring_up_to_date(connection: sqlite3.Connection) -> None:
    """Have a state file in our version, as it is or by changing an older one in place.

    Raises:
        DamagedStateError: it is no state of ours, or a newer version's.
        sqlite3.Error: it cannot be read, or not be written where it has to be changed.
    """
    if version_of(connection) == VERSION:
        return
    with transaction(connection), damage_named():
        version = version_of(connection)  # another process may have been quicker
        if version != VERSION:
            migrate(connection, version)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write all or nothing; others may read until the commit."""
    connection.execute("begin immediate")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        with suppress(sqlite3.Error):  # a full disk has rolled it back already
            connection.execute("rollback")
        raise


@contextmanager
def damage_named() -> Iterator[None]:
    """Turn what damaged rows make of our reading into the one exception for it."""
    try:
        yield
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError, OSError) as error:
        raise DamagedStateError(f"a row cannot be read: {type(error).__name__}") from None


def explained(error: Exception, path: Path) -> StateError | DamagedStateError:
    """Return the exception to raise for SQLite's: damage, or a state that cannot be used now."""
    if isinstance(error, UnicodeDecodeError):
        return DamagedStateError("there is rubbish in it")
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY
    if code in _DAMAGED:
        return DamagedStateError(str(error))
    if code == sqlite3.SQLITE_READONLY:
        return _unwritable(path)
    return StateError(f"state {path}: {_SAID.get(code, str(error))}")


def look_for_room(path: Path, size: int) -> None:
    """Find out, leaving nothing, whether the state file may take so many bytes more.

    Raises:
        StateError: we have no right to write it, or there is no room beside it.
    """
    if not os.access(path, os.W_OK):
        raise _unwritable(path)
    try:
        with tempfile.TemporaryFile(dir=path.parent) as file:
            os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:
        if error.errno == errno.EOPNOTSUPP:  # musl asks the file system, glibc also tries
            return
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise _unwritable(path) from None
        why = _FULL if error.errno in {errno.ENOSPC, errno.EDQUOT} else error.strerror
        raise StateError(f"state {path}: {why}") from None


def look_for_lock(connection: sqlite3.Connection) -> None:
    """Find out whether another process lets the state file be written.

    Raises:
        sqlite3.Error: it does not.
    """
    with transaction(connection):
        pass


def _unwritable(path: Path) -> StateError:
    try:
        read_only = os.statvfs(path.parent).f_flag & os.ST_RDONLY
    except OSError:
        read_only = 0
    why = "its file system is read-only: is the disk broken?" if read_only else _NO_RIGHT
    return StateError(f"state {path}: {why}")


def set_aside(path: Path) -> Path:
    """Rename a damaged state file to `….corrupt`, `….corrupt-2`, … and return the new path.

    Raises:
        StateError: the folder does not let us.
    """
    number, kept = 1, path.with_name(f"{path.name}.corrupt")
    while kept.exists():
        number += 1
        kept = path.with_name(f"{path.name}.corrupt-{number}")
    try:
        journal = path.with_name(path.name + _JOURNAL)
        if journal.exists():  # left beside a new file, it would be played back into that
            journal.rename(kept.with_name(kept.name + _JOURNAL))
        path.rename(kept)
    except OSError as error:
        problem = f"it is damaged and cannot be moved aside: {error.strerror or error}"
        raise StateError(f"state {path}: {problem}") from None
    return kept


def _create(path: Path) -> None:
    """Make the file under another name first, so that it is never seen half made."""
    new = path.with_name(f"{path.name}.new-{os.getpid()}")
    new.unlink(missing_ok=True)
    try:
        os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(_opened(new)) as connection:
            connection.executescript(SCHEMA)
        with suppress(FileExistsError):  # another process was quicker, and its file is as good
            os.link(new, path)
    finally:
        new.unlink(missing_ok=True)
        new.with_name(new.name + _JOURNAL).unlink(missing_ok=True)


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY, isolation_level=None
    )
    # A rollback journal, and not WAL: readers with no right to write need no shared memory file.
    # EXTRA is FULL that also survives a power cut right after a commit in this mode.
    connection.execute("pragma journal_mode = delete")
    connection.execute("pragma synchronous = extra")
    return connection


def version_of(connection: sqlite3.Connection) -> int:
    """Return the version of the file's tables, one that we can read or bring up to date.

    Raises:
        DamagedStateError: it is no state of ours, or a newer version's.
        sqlite3.Error: it cannot be read.
    """
    (application,) = connection.execute("pragma application_id").fetchone()
    (version,) = connection.execute("pragma user_version").fetchone()
    if application != APPLICATION:
        raise DamagedStateError("it is not a state of Yakei")
    if version != VERSION and not can_migrate(version):
        raise DamagedStateError(f"it is of version {version}, this Yakei reads version {VERSION}")
    return int(version)

"""SQLite: files that are read where they are, and never made."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from pytest_yakei.databases import Cause, QueryFailed, Timeouts, connect
from pytest_yakei.errors import ResourceUnavailable

BRIEF = Timeouts(lock=timedelta(seconds=0.2))
PLUGINS = Path(__file__).parent.parent
WITHOUT_RIGHTS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.getuid() == 0 else []
"""Makes root obey the modes of files, as everybody else does."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database file with a table of two rows."""
    path = tmp_path / "my app.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("create table parcel (id int)")
        connection.execute("insert into parcel values (1), (2)")
    return path


@pytest.fixture
def wal_file(file: Path) -> Iterator[Path]:
    """The same in write-ahead mode, in a folder that cannot be written."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("pragma journal_mode = wal")
    file.parent.chmod(0o555)
    yield file
    file.parent.chmod(0o755)


def asked_without_rights(path: Path, sql: str) -> str:
    """Return what a process without root's rights is told about a database."""
    script = f"""
        from pytest_yakei.databases import connect
        try:
            print(connect("main", "sqlite:///{path}").scalar("{sql}"))
        except Exception as error:
            print(error)
    """
    return subprocess.run(
        [*WITHOUT_RIGHTS, sys.executable, "-c", textwrap.dedent(script)],
        env={**os.environ, "PYTHONPATH": str(PLUGINS)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_a_relative_path_starts_at_the_base(file: Path) -> None:
    with closing(connect("main", f"sqlite:///{file.name}", base=file.parent)) as database:
        rows = database.rows("select id from parcel order by id")

    assert rows == [(1,), (2,)]


def test_people_read_where_it_is(file: Path) -> None:
    with closing(connect("main", f"sqlite:///{file}")) as database:
        place = database.where

    assert place == f"main ({file})"


def test_a_missing_file_is_told_and_not_made(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    with pytest.raises(ResourceUnavailable) as failure:
        connect("main", f"sqlite:///{path}")

    assert str(failure.value) == f"database main: no such file or directory: {path}"
    assert not path.exists()


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(ResourceUnavailable, match="is a folder"):
        connect("main", f"sqlite:///{tmp_path}")


def test_any_other_file_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    path.write_text("no database at all, but long enough to be taken for the header of one\n" * 2)
    with pytest.raises(ResourceUnavailable) as failure:
        connect("main", f"sqlite:///{path}")

    assert failure.value.reason == f"file is not a database: {path}"


def test_a_file_attached_to_it_cannot_be_changed_either(file: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("create table t (id int)")
    with closing(connect("main", f"sqlite:///{file}")) as database:
        database.rows("attach database ? as other", [str(tmp_path / "other.db")])
        with pytest.raises(QueryFailed) as failure:
            database.rows("insert into other.t values (1)")

    assert failure.value.cause is Cause.READ_ONLY


def test_a_file_that_is_being_written_is_waited_for_briefly(file: Path) -> None:
    with (
        closing(sqlite3.connect(file, isolation_level=None)) as writer,
        closing(connect("main", f"sqlite:///{file}", timeouts=BRIEF)) as database,
    ):
        writer.execute("begin exclusive")
        with pytest.raises(QueryFailed) as failure:
            database.scalar("select count(*) from parcel")

    assert failure.value.cause is Cause.LOCKED
    assert "waited 0.2 s for a lock in vain" in str(failure.value)


def test_what_a_writer_has_committed_is_seen_at_once(file: Path) -> None:
    with (
        closing(sqlite3.connect(file, isolation_level=None)) as writer,
        closing(connect("main", f"sqlite:///{file}")) as database,
    ):
        writer.execute("pragma journal_mode = wal")
        before = database.scalar("select count(*) from parcel")
        writer.execute("insert into parcel values (3)")

        assert (before, database.scalar("select count(*) from parcel")) == (2, 3)


@pytest.mark.server
def test_a_file_that_may_not_be_read_is_told(file: Path) -> None:
    file.chmod(0)

    assert asked_without_rights(file, "select 1") == (
        f"database main: no permission to read: {file}"
    )


@pytest.mark.server
def test_a_write_ahead_file_in_a_folder_without_write_permission_is_read(wal_file: Path) -> None:
    assert asked_without_rights(wal_file, "select count(*) from parcel") == "2"


@pytest.mark.server
def test_a_write_ahead_log_that_cannot_be_read_is_not_passed_over(wal_file: Path) -> None:
    """What is committed may be in the log alone, so the file without it tells the past."""
    wal_file.parent.chmod(0o755)
    wal_file.with_name(f"{wal_file.name}-wal").write_bytes(b"x" * 4096)
    wal_file.parent.chmod(0o555)

    assert "unable to open database file" in asked_without_rights(wal_file, "select 1")

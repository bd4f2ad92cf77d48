"""MySQL and MariaDB: what their sessions are like, and what their ways of refusing mean."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from servers.mariadb import MariaDBServer

from pytest_yakei.databases import Cause, Database, QueryFailed, Timeouts, connect
from pytest_yakei.errors import ResourceUnavailable

pytestmark = pytest.mark.server

BRIEF = Timeouts(statement=timedelta(seconds=2.5), lock=timedelta(seconds=1))


@pytest.fixture
def app(mariadb: MariaDBServer) -> str:
    """A database of its own with an empty table `parcel`."""
    name = mariadb.create_database()
    mariadb.execute("create table parcel (id int)", database=name)
    return name


@pytest.fixture
def database(mariadb: MariaDBServer, app: str) -> Iterator[Database]:
    """A connection to it."""
    with closing(connect("main", mariadb.url(app), timeouts=BRIEF)) as connected:
        yield connected


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("tx_read_only", 1),
        ("max_statement_time", 2.5),
        ("lock_wait_timeout", 1),
        ("innodb_lock_wait_timeout", 1),
        ("autocommit", 1),
    ],
)
def test_the_server_itself_keeps_the_session_in_bounds(
    database: Database, variable: str, value: float
) -> None:
    assert database.scalar(f"select @@session.{variable}") == value


def test_the_server_sees_who_asks(new_mariadb: Callable[..., MariaDBServer]) -> None:
    server = new_mariadb("--performance-schema=ON")
    with closing(connect("main", server.url())) as database:
        program = database.scalar(
            "select attr_value from performance_schema.session_account_connect_attrs "
            "where attr_name = 'program_name' and processlist_id = connection_id()"
        )

    assert program == "yakei"


def test_people_read_where_it_is(database: Database, mariadb: MariaDBServer, app: str) -> None:
    assert database.where == f"main (127.0.0.1:{mariadb.port}/{app})"


def test_a_unix_socket_is_a_place_too(mariadb: MariaDBServer) -> None:
    with closing(connect("main", f"mysql://root@/?unix_socket={mariadb.socket}")) as database:
        place = database.where

    assert place == f"main ({mariadb.socket})"


def test_an_option_file_is_honoured(mariadb: MariaDBServer, tmp_path: Path) -> None:
    user = mariadb.create_user("reader", "s3cret")
    file = tmp_path / "my.cnf"
    file.write_text(f"[client]\nport={mariadb.port}\nuser={user}\npassword=s3cret\n")
    url = f"mysql://127.0.0.1/?read_default_file={file}"
    with closing(connect("main", url)) as database:
        name = database.scalar("select current_user()")

    assert name == f"{user}@%"


def test_django_s_entry_is_understood(mariadb: MariaDBServer, app: str) -> None:
    entry = {
        "ENGINE": "django.db.backends.mysql",
        "NAME": app,
        "USER": "root",
        "PASSWORD": "",
        "HOST": "127.0.0.1",
        "PORT": str(mariadb.port),
        "OPTIONS": {"charset": "utf8mb4", "init_command": "set autocommit = 0"},
    }
    with closing(connect("main", entry)) as database:
        name = database.scalar("select database()")

    assert name == app


def test_a_table_that_others_have_locked_is_waited_for_briefly(
    database: Database, mariadb: MariaDBServer, app: str
) -> None:
    with closing(mariadb.connect(app)) as other:
        other.cursor().execute("lock tables parcel write")
        with pytest.raises(QueryFailed) as failure:
            database.scalar("select count(*) from parcel")

    assert failure.value.cause is Cause.LOCKED
    assert "waited 1 s for a lock in vain" in str(failure.value)


def test_a_missing_right_is_told_with_the_user(mariadb: MariaDBServer) -> None:
    user = mariadb.create_user("reader")
    with closing(connect("main", mariadb.url(user=user))) as database:
        with pytest.raises(QueryFailed) as failure:
            database.rows("select * from mysql.user")

        assert failure.value.cause is Cause.DENIED
        assert f"denied to user '{user}'" in str(failure.value)


def test_a_session_that_an_administrator_kills_is_lost(
    database: Database, mariadb: MariaDBServer
) -> None:
    number = database.scalar("select connection_id()")
    killing = threading.Timer(0.1, mariadb.execute, [f"kill {number}"])
    killing.start()
    with pytest.raises(ResourceUnavailable, match="connection lost at"):
        database.scalar("select sleep(2)")
    killing.join()

    assert database.scalar("select 1") == 1


def test_a_name_is_quoted_the_way_of_mysql(database: Database) -> None:
    assert database.quote("app", "a`b") == "`app`.`a``b`"


def _hang_up(listener: socket.socket) -> None:
    listener.accept()[0].close()


def test_a_port_that_accepts_and_hangs_up_is_no_mysql() -> None:
    """A tunnel whose far end has gone does it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        hanging_up = threading.Thread(target=_hang_up, args=[listener])
        hanging_up.start()
        with pytest.raises(ResourceUnavailable) as failure:
            connect("tunnel", f"mysql://root@127.0.0.1:{port}/")
        hanging_up.join()

    assert failure.value.reason == f"closed without a MySQL greeting at 127.0.0.1:{port}"


def test_a_server_without_a_statement_timeout_is_under_ours(
    new_mariadb: Callable[..., MariaDBServer],
) -> None:
    """MySQL 5.6 knows neither `max_statement_time` nor `max_execution_time`."""
    server = new_mariadb("--version=5.6.51-log")
    brief = Timeouts(statement=timedelta(seconds=0.3), grace=timedelta(seconds=0.2))
    with closing(connect("main", server.url(), timeouts=brief)) as database:
        with pytest.raises(ResourceUnavailable, match=r"no answer within 0\.5 s from"):
            database.scalar("select sleep(20)")

        assert database.scalar("select 1") == 1

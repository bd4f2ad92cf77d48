"""PostgreSQL: what its sessions are like, and what its ways of refusing mean."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from servers.pooler import pooler
from servers.postgres import PostgresServer

from pytest_yakei.databases import Cause, Database, QueryFailed, Timeouts, connect
from pytest_yakei.errors import ResourceUnavailable

pytestmark = pytest.mark.server

BRIEF = Timeouts(statement=timedelta(seconds=0.5), lock=timedelta(seconds=0.2))


@pytest.fixture
def app(postgres: PostgresServer) -> str:
    """A database of its own with an empty table `parcel`."""
    name = postgres.create_database()
    postgres.execute("create table parcel (id int)", database=name)
    return name


@pytest.fixture
def database(postgres: PostgresServer, app: str) -> Iterator[Database]:
    """A connection to it."""
    with closing(connect("main", postgres.url(app), timeouts=BRIEF)) as connected:
        yield connected


@pytest.fixture(params=["refuses options", "drops options"])
def pooled(
    request: pytest.FixtureRequest, postgres: PostgresServer, app: str
) -> Iterator[Database]:
    """A connection to it through a pooler that takes no settings for the session."""
    with pooler(postgres.port, refuses=request.param == "refuses options") as port:
        url = f"postgresql://postgres@127.0.0.1:{port}/{app}"
        with closing(connect("main", url, timeouts=BRIEF)) as connected:
            yield connected


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("application_name", "yakei"),
        ("default_transaction_read_only", "on"),
        ("statement_timeout", "500ms"),
        ("lock_timeout", "200ms"),
        ("idle_in_transaction_session_timeout", "1min"),
    ],
)
def test_the_server_itself_keeps_the_session_in_bounds(
    database: Database, setting: str, value: str
) -> None:
    assert database.scalar(f"show {setting}") == value


def test_options_of_the_url_are_kept_beside_ours(postgres: PostgresServer) -> None:
    url = f"{postgres.url()}?options=-c%20search_path%3Dshop%20-c%20statement_timeout%3D0"
    with closing(connect("main", url, timeouts=BRIEF)) as database:
        settings = database.scalar("show search_path"), database.scalar("show statement_timeout")

    assert settings == ("shop", "500ms")


def test_no_transaction_stays_open_between_statements(database: Database) -> None:
    database.scalar("select 1")

    assert database.connection.info.transaction_status == 0


def test_people_read_where_it_is(database: Database, postgres: PostgresServer, app: str) -> None:
    assert database.where == f"main (127.0.0.1:{postgres.port}/{app})"


def test_a_unix_socket_is_a_place_too(postgres: PostgresServer) -> None:
    url = f"postgresql://postgres@:{postgres.port}/?host={postgres.socket_directory}"
    with closing(connect("main", url)) as database:
        place = database.where

    assert place == f"main ({postgres.socket_directory}:{postgres.port}/postgres)"


def test_a_service_file_is_honoured(
    postgres: PostgresServer, app: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"host=127.0.0.1\nport={postgres.port}\nuser=postgres\ndbname={app}\n"
    (tmp_path / "services").write_text(f"[shop]\n{place}")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    with closing(connect("main", "postgresql:///?service=shop")) as database:
        name = database.scalar("select current_database()")

    assert name == app


def test_a_password_file_is_honoured(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = postgres.create_user("reader", "s3cret")
    (tmp_path / "pgpass").write_text(f"127.0.0.1:{postgres.port}:*:{user}:s3cret\n")
    (tmp_path / "pgpass").chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))
    with closing(connect("main", postgres.url(user=user))) as database:
        name = database.scalar("select current_user")

    assert name == user


def test_the_first_host_that_answers_is_taken(postgres: PostgresServer, closed_port: int) -> None:
    hosts = f"127.0.0.1:{closed_port},127.0.0.1:{postgres.port}"
    with closing(connect("main", f"postgresql://postgres@{hosts}/postgres")) as database:
        place = database.where

    assert place == f"main (127.0.0.1:{postgres.port}/postgres)"


def test_a_table_that_others_have_locked_is_waited_for_briefly(
    database: Database, postgres: PostgresServer, app: str
) -> None:
    with closing(postgres.connect(app)) as other, other.cursor() as cursor:
        cursor.execute("begin; lock table parcel in access exclusive mode")
        with pytest.raises(QueryFailed) as failure:
            database.scalar("select count(*) from parcel")

    assert failure.value.cause is Cause.LOCKED
    assert "waited 0.2 s for a lock in vain" in str(failure.value)


def test_a_missing_right_is_told_with_the_user(postgres: PostgresServer, app: str) -> None:
    user = postgres.create_user("reader")
    with closing(connect("main", postgres.url(app, user=user))) as database:
        with pytest.raises(QueryFailed) as failure:
            database.scalar("select count(*) from parcel")

        assert failure.value.cause is Cause.DENIED
        assert f"permission denied for table parcel, as user {user}" in str(failure.value)


@pytest.mark.parametrize("name", ["shop.parcel", "no_such_function()"])
def test_a_missing_schema_or_function_is_missing(database: Database, name: str) -> None:
    with pytest.raises(QueryFailed) as failure:
        database.rows(f"select * from {name}")

    assert failure.value.cause is Cause.MISSING


def test_a_missing_table_is_called_a_table(database: Database) -> None:
    with pytest.raises(QueryFailed, match="table parcels does not exist"):
        database.rows("select * from parcels")


def test_a_session_that_an_administrator_ends_is_lost(
    database: Database, postgres: PostgresServer
) -> None:
    pid = database.scalar("select pg_backend_pid()")
    ended = threading.Timer(0.1, postgres.execute, ["select pg_terminate_backend(%s)", [pid]])
    ended.start()
    with pytest.raises(ResourceUnavailable, match="connection lost at"):
        database.scalar("select pg_sleep(5)")
    ended.join()

    assert database.scalar("select 1") == 1


def test_a_schema_and_a_table_are_quoted_apart(database: Database) -> None:
    assert database.quote("my schema", 'a"b') == '"my schema"."a""b"'


def test_nothing_can_be_changed_through_a_pooler(pooled: Database) -> None:
    with pytest.raises(QueryFailed) as failure:
        pooled.rows("insert into parcel values (1)")

    assert failure.value.cause is Cause.READ_ONLY
    assert pooled.scalar("select count(*) from parcel") == 0


def test_a_statement_through_a_pooler_has_its_timeout(pooled: Database) -> None:
    with pytest.raises(QueryFailed, match=r"no answer within 0\.5 s"):
        pooled.scalar("select pg_sleep(60)")


def test_the_poolers_connection_is_left_as_it_was(pooled: Database) -> None:
    """A SET would stay on a server's connection that the application is given next."""
    pooled.scalar("select 1")
    pooled.connection.set_session(readonly=False)
    cursor = pooled.connection.cursor()
    cursor.execute(
        "select current_setting('default_transaction_read_only'), "
        "current_setting('statement_timeout')"
    )

    assert cursor.fetchone() == ("off", "0")

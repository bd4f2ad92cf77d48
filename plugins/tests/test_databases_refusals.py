"""Why there is no connection is told in one line, with the address and without a password."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from servers.mariadb import MariaDBServer
from servers.postgres import PostgresServer

from pytest_yakei.databases import connect
from pytest_yakei.errors import CannotTell, NotConfigured, ResourceUnavailable

SECRET = "s3cret/pass@word"
ENCODED = "s3cret%2Fpass%40word"
Server = PostgresServer | MariaDBServer

both = pytest.mark.parametrize(
    "shared",
    [
        pytest.param("postgres", marks=pytest.mark.server),
        pytest.param("mariadb", marks=pytest.mark.server),
    ],
)


def refusal(target: object) -> str:
    """Return why a target cannot be connected to, having looked for its password everywhere."""
    with pytest.raises(CannotTell) as failure:
        connect("main", target)  # type: ignore[arg-type] - some tests hand in nonsense
    shown = "".join(traceback.format_exception(failure.value)) + repr(failure.value)
    assert SECRET not in shown
    assert ENCODED not in shown
    assert "\n" not in str(failure.value)
    return str(failure.value)


@pytest.fixture
def server(request: pytest.FixtureRequest, shared: str) -> Server:
    """The shared server of the kind that the test is at."""
    found: Server = request.getfixturevalue(shared)
    return found


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_closed_port_refuses(scheme: str, closed_port: int) -> None:
    url = f"{scheme}://app:{ENCODED}@127.0.0.1:{closed_port}/shop"

    assert refusal(url) == f"database main: connection refused at 127.0.0.1:{closed_port}"


@pytest.mark.parametrize(("scheme", "port"), [("postgresql", 5432), ("mysql", 3306)])
def test_an_unknown_host_is_named(scheme: str, port: int) -> None:
    url = f"{scheme}://app:{ENCODED}@db.invalid/shop"

    assert refusal(url) == f"database main: unknown host at db.invalid:{port}"


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql:///shop?host={folder}", "{folder}/.s.PGSQL.5432"),
        ("mysql://app@/shop?unix_socket={folder}/s", "{folder}/s"),
    ],
)
def test_a_missing_socket_is_named(url: str, place: str, tmp_path: Path) -> None:
    said = refusal(url.format(folder=tmp_path))

    assert said == f"database main: no server at {place.format(folder=tmp_path)}"


@both
def test_a_wrong_password_is_told_with_the_user(server: Server) -> None:
    user = server.create_user("app", "another")
    database = server.create_database("shop")
    said = refusal(server.url(database, user=user, password=SECRET))

    assert said == (
        f"database main: authentication failed for user {user} at 127.0.0.1:{server.port}"
    )


@pytest.mark.server
def test_a_password_that_is_asked_for_and_not_given_is_told(postgres: PostgresServer) -> None:
    user = postgres.create_user("app", "another")

    assert "a password is asked for and none is given" in refusal(postgres.url(user=user))


@both
def test_a_missing_database_is_named(server: Server) -> None:
    said = refusal(server.url("nowhere"))

    assert said == f"database main: no such database nowhere at 127.0.0.1:{server.port}"


@pytest.mark.server
def test_a_missing_user_is_named(postgres: PostgresServer) -> None:
    assert "no such user nobody" in refusal(postgres.url(user="nobody", password=SECRET))


@pytest.mark.server
def test_a_user_without_a_line_in_pg_hba_is_named(
    new_postgres: Callable[..., PostgresServer],
) -> None:
    server = new_postgres()
    (server.data_directory / "pg_hba.conf").write_text("local all all trust\n")
    server.restart()

    assert "pg_hba.conf has no line for user postgres" in refusal(server.url())


@pytest.mark.server
def test_a_server_without_a_free_connection_says_so(
    new_postgres: Callable[..., PostgresServer],
) -> None:
    server = new_postgres(max_connections=4, max_wal_senders=0, superuser_reserved_connections=3)
    user = server.create_user("app")
    taken = server.connect(user=user)
    said = refusal(server.url(user=user))
    taken.close()

    assert said == f"database main: no connection is free at 127.0.0.1:{server.port}"


@pytest.mark.server
def test_a_mariadb_without_a_free_connection_says_so(
    new_mariadb: Callable[..., MariaDBServer],
) -> None:
    server = new_mariadb("--max-connections=10", "--extra-max-connections=1")
    user = server.create_user("app")
    taken = [server.connect(user=user) for _ in range(10)]
    said = refusal(server.url(user=user))
    for connection in taken:
        connection.close()

    assert said == f"database main: no connection is free at 127.0.0.1:{server.port}"


@pytest.mark.server
def test_a_certificate_that_is_wanted_and_missing_is_told(postgres: PostgresServer) -> None:
    said = refusal(f"{postgres.url(password=SECRET)}?sslmode=require")

    assert said == (
        "database main: server does not support SSL, but SSL was required "
        f"at 127.0.0.1:{postgres.port}"
    )


@pytest.mark.server
def test_a_mariadb_without_the_wanted_tls_is_told(mariadb: MariaDBServer) -> None:
    said = refusal(f"{mariadb.url()}?ssl_mode=VERIFY_IDENTITY")

    assert re.fullmatch(rf"database main: .*SSL.* at 127.0.0.1:{mariadb.port}", said)


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        (f"postgresql://u:{ENCODED}@h/db?sslmod=require", 'invalid connection option "sslmod"'),
        (f"postgresql://u:{ENCODED}@h:port/db", "where the port is a number"),
        ({"ENGINE": "oracle", "PASSWORD": SECRET}, 'got "oracle"'),
        ("mysql://?read_default_file=/nowhere/my.cnf", "no such file: /nowhere/my.cnf"),
        ({"ENGINE": "mysql", "PORT": "x", "PASSWORD": SECRET}, "refuses the setting (ValueError)"),
    ],
)
def test_a_setting_that_makes_no_sense_is_not_configured(target: object, problem: str) -> None:
    said = refusal(target)

    assert said.startswith("databases.main: ")
    assert problem in said


def test_which_exception_tells_a_broken_setting_from_a_broken_server(closed_port: int) -> None:
    with pytest.raises(ResourceUnavailable):
        connect("main", f"mysql://127.0.0.1:{closed_port}")
    with pytest.raises(NotConfigured):
        connect("main", "no URL at all")

"""What every kind of database promises: asked for real, in each kind."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from pytest_yakei.databases import Cause, Database, QueryFailed, Timeouts, connect
from pytest_yakei.errors import CannotTell

SETUP = (
    "create table parcel (id int primary key, note varchar(20))",
    "insert into parcel values (1, 'a'), (2, null)",
)
BRIEF = Timeouts(statement=timedelta(seconds=0.3), lock=timedelta(seconds=1))
SLOW = {
    "postgresql": "select pg_sleep(60)",
    # sleep() and benchmark() end early and return a number when MariaDB's timeout ends them.
    "mysql": f"select count(*) from parcel {' '.join(f'join parcel t{i}' for i in range(40))}",
    "sqlite": "with recursive n (i) as (select 1 union all select i + 1 from n) "
    "select max(i) from n",
}


@dataclass
class Place:
    """A database with the table `parcel`: its URL, and a database connected to it."""

    url: str
    database: Database


def _url(kind: str, request: pytest.FixtureRequest, folder: Path) -> str:
    if kind == "sqlite":
        with closing(sqlite3.connect(folder / "app.db")) as connection, connection:
            for statement in SETUP:
                connection.execute(statement)
        return f"sqlite:///{folder / 'app.db'}"
    server = request.getfixturevalue(kind)
    name = server.create_database()
    for statement in SETUP:
        server.execute(statement, database=name)
    url: str = server.url(name)
    return url


KINDS = [
    "sqlite",
    pytest.param("postgres", marks=pytest.mark.server),
    pytest.param("mariadb", marks=pytest.mark.server),
]


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """The same small database, in each kind of server."""
    url = _url(request.param, request, tmp_path)
    with closing(connect("main", url, timeouts=BRIEF)) as database:
        yield Place(url, database)


def test_a_scalar_is_the_one_value(place: Place) -> None:
    assert place.database.scalar("select count(*) from parcel") == 2


def test_a_null_is_none(place: Place) -> None:
    assert place.database.scalar("select note from parcel where id = 2") is None


def test_parameters_are_the_drivers_business(place: Place) -> None:
    mark = place.database.placeholder

    assert place.database.row(f"select id, note from parcel where id = {mark}", [1]) == (1, "a")


def test_a_percent_sign_stands_for_itself_without_parameters(place: Place) -> None:
    assert place.database.rows("select id from parcel where note like 'a%'") == [(1,)]


def test_a_quoted_name_may_be_a_word_of_sql(place: Place) -> None:
    name = place.database.quote("select")

    assert place.database.rows(f"select id as {name} from parcel order by {name}") == [(1,), (2,)]


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("select id from parcel where id = 9", "no row, expected exactly one"),
        ("select id from parcel", "2 rows, expected exactly one"),
        ("select id, note from parcel where id = 1", "a row of 2 columns, expected exactly one"),
    ],
)
def test_anything_but_one_value_is_no_scalar(place: Place, sql: str, problem: str) -> None:
    with pytest.raises(CannotTell) as failure:
        place.database.scalar(sql)

    assert str(failure.value) == f"database main: {problem}\nAsked     {sql}"


@pytest.mark.parametrize(
    "sql",
    [
        "insert into parcel values (3, 'c')",
        "update parcel set note = 'z'",
        "delete from parcel",
        "create table other (id int)",
        "drop table parcel",
    ],
)
def test_nothing_can_be_changed(place: Place, sql: str) -> None:
    with pytest.raises(QueryFailed) as failure:
        place.database.rows(sql)

    assert failure.value.cause is Cause.READ_ONLY
    assert place.database.scalar("select count(*) from parcel where id < 3") == 2


def test_the_drivers_connection_cannot_change_anything_either(place: Place) -> None:
    cursor = place.database.connection.cursor()

    with pytest.raises(Exception, match=r"(?i)read.?only"):
        cursor.execute("insert into parcel values (3, 'c')")


def test_a_missing_table_is_named(place: Place) -> None:
    with pytest.raises(QueryFailed) as failure:
        place.database.scalar("select count(*) from analyze_page")

    assert failure.value.cause is Cause.MISSING
    assert "analyze_page" in str(failure.value).splitlines()[0]


def test_a_slow_statement_is_ended_by_the_server_and_the_connection_lives(place: Place) -> None:
    with pytest.raises(QueryFailed) as failure:
        place.database.scalar(SLOW[place.database.kind])

    assert str(failure.value).startswith("database main: no answer within 0.3 s\nAsked     ")
    assert place.database.scalar("select 1") == 1


def test_a_syntax_error_shows_what_was_asked(place: Place) -> None:
    with pytest.raises(QueryFailed) as failure:
        place.database.scalar("selekt 1")

    assert failure.value.cause is Cause.REFUSED
    assert str(failure.value).endswith("Asked     selekt 1")


SESSION = {
    "postgresql": ("select pg_backend_pid()", "select count(*) from pg_stat_activity where pid = "),
    "mysql": (
        "select connection_id()",
        "select count(*) from information_schema.processlist where id = ",
    ),
}


@pytest.mark.parametrize("place", KINDS[1:], indirect=True)
def test_what_has_been_closed_the_server_has_ended_as_well(place: Place) -> None:
    """Or whoever takes its place is one connection too many for the server."""
    own_id, count = SESSION[place.database.kind]
    for _ in range(30):
        with closing(connect("main", place.url, timeouts=BRIEF)) as other:
            ended = other.scalar(own_id)
        assert place.database.scalar(f"{count}{ended}") == 0

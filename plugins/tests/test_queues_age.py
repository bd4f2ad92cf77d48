"""How old a queue's oldest row is, is told by the server's clock, whatever holds the time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from places import Place, server_place, sqlite_place
from servers.mariadb import MariaDBServer
from servers.postgres import PostgresServer

from pytest_yakei.errors import CannotTell
from pytest_yakei.measures import take
from pytest_yakei.probes.queues import Queue, Settings, probe
from yakei_shared.limits import Limit

FIVE_MINUTES = Limit(timedelta(minutes=5))
SLACK = 20
"""Seconds that a busy machine may take between writing a row and reading it."""
NEW = "create table jobs (at {0})"
MARIADB = {
    "datetime": "now() - interval {0} second",
    "datetime(6)": "now(6) - interval {0} second",
    "timestamp": "now() - interval {0} second",
    "int": "unix_timestamp() - {0}",
    "bigint": "(unix_timestamp() - {0}) * 1000",
    "double": "unix_timestamp(now(6)) - {0}",
    "varchar(40)": "cast(now() - interval {0} second as char)",
}
POSTGRES = {
    "timestamptz": "now() - interval '{0} s'",
    "timestamp": "now() - interval '{0} s'",
    "int": "extract(epoch from now()) - {0}",
    "bigint": "(extract(epoch from now()) - {0}) * 1000",
    "numeric": "extract(epoch from now()) - {0}",
    "double precision": "extract(epoch from now()) - {0}",
    "text": "now() - interval '{0} s'",
}
SQLITE = {
    "text": "datetime('now', '-{0} seconds')",
    "timestamp": "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-{0} seconds')",
    "integer": "strftime('%s', 'now') - {0}",
    "real": "(julianday('now') - 2440587.5) * 86400.0 - {0}",
    "": "cast(strftime('%s', 'now') - {0} as text)",
}


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Place]:
    with sqlite_place(tmp_path) as place:
        yield place


@pytest.fixture
def postgres_place(postgres: PostgresServer) -> Iterator[Place]:
    with server_place(postgres) as place:
        yield place


@pytest.fixture
def mariadb_place(mariadb: MariaDBServer) -> Iterator[Place]:
    with server_place(mariadb) as place:
        yield place


def queue_at(place: Place, now: datetime | None = None, **settings: Any) -> Queue:
    given = {"database": "main", "table": "jobs", "max_age": FIVE_MINUTES, "age_column": "at"}
    return probe(place.context(Settings(**{**given, **settings}), now=now))


def put(place: Place, column: str, value: str, seconds: int) -> Queue:
    """Make a queue whose one row is that old."""
    place.execute(NEW.format(column))
    place.execute(f"insert into jobs select {value.format(seconds)}")
    return queue_at(place)


def age_of(queue: Queue) -> float:
    age = queue.oldest_row()
    assert age is not None
    return age.total_seconds()


@pytest.mark.parametrize(("column", "value"), SQLITE.items())
def test_sqlite_holds_times_as_texts_and_numbers(sqlite: Place, column: str, value: str) -> None:
    assert age_of(put(sqlite, column, value, 301)) == pytest.approx(301, abs=SLACK)


@pytest.mark.server
@pytest.mark.parametrize(("column", "value"), POSTGRES.items())
def test_postgresql_has_columns_of_many_types(
    postgres_place: Place, column: str, value: str
) -> None:
    assert age_of(put(postgres_place, column, value, 301)) == pytest.approx(301, abs=SLACK)


@pytest.mark.server
@pytest.mark.parametrize(("column", "value"), MARIADB.items())
def test_mariadb_has_columns_of_many_types(mariadb_place: Place, column: str, value: str) -> None:
    assert age_of(put(mariadb_place, column, value, 301)) == pytest.approx(301, abs=SLACK)


@pytest.mark.server
@pytest.mark.parametrize("column", ["timestamptz", "timestamp", "text"])
def test_postgresqls_own_zone_is_the_zone_of_times_without_one(
    new_postgres: Callable[..., PostgresServer], column: str
) -> None:
    server = new_postgres(timezone="Asia/Tokyo")
    with server_place(server) as place:
        assert age_of(put(place, column, POSTGRES[column], 301)) == pytest.approx(301, abs=SLACK)


@pytest.mark.server
@pytest.mark.parametrize("column", ["datetime", "timestamp", "int", "varchar(40)"])
def test_mariadbs_own_zone_is_the_zone_of_times_without_one(
    new_mariadb: Callable[..., MariaDBServer], column: str
) -> None:
    server = new_mariadb("--default-time-zone=+09:00")
    with server_place(server) as place:
        assert age_of(put(place, column, MARIADB[column], 301)) == pytest.approx(301, abs=SLACK)


@pytest.mark.server
def test_the_configuration_may_say_that_times_without_a_zone_are_in_another(
    new_mariadb: Callable[..., MariaDBServer],
) -> None:
    server = new_mariadb("--default-time-zone=+09:00")
    with server_place(server) as place:
        put(place, "datetime", "utc_timestamp() - interval {0} second", 301)

        assert age_of(queue_at(place, age_zone="UTC")) == pytest.approx(301, abs=SLACK)


def test_the_clock_of_the_monitor_does_not_matter(sqlite: Place) -> None:
    put(sqlite, "text", SQLITE["text"], 301)
    wrong = datetime(2001, 1, 1, tzinfo=UTC)

    assert age_of(queue_at(sqlite, now=wrong)) == pytest.approx(301, abs=SLACK)


@pytest.mark.parametrize(("seconds", "passes"), [(295, True), (301, False)])
def test_a_row_older_than_the_limit_fails_with_its_age_in_minutes(
    sqlite: Place, *, seconds: int, passes: bool
) -> None:
    queue = put(sqlite, "real", SQLITE["real"], seconds)
    age, _ = take("oldest row", queue.oldest_row(), "")

    if passes:
        age.below(queue.max_age)
    else:
        with pytest.raises(AssertionError, match=r"oldest row: 5 min \d s \(limit: below 5 min\)"):
            age.below(queue.max_age)


def test_the_oldest_row_counts_among_several(sqlite: Place) -> None:
    queue = put(sqlite, "integer", SQLITE["integer"], 301)
    sqlite.execute("insert into jobs values (strftime('%s', 'now'))")

    assert age_of(queue) == pytest.approx(301, abs=SLACK)


def test_a_finished_row_may_be_as_old_as_it_likes(sqlite: Place) -> None:
    put(sqlite, "integer", SQLITE["integer"], 301)
    sqlite.execute("alter table jobs add done")
    sqlite.execute("update jobs set done = 1")

    assert age_of(queue_at(sqlite, where="done is null")) == 0


def test_an_empty_queue_has_no_old_row(sqlite: Place) -> None:
    sqlite.execute(NEW.format("text"))

    assert age_of(queue_at(sqlite)) == 0


def test_without_an_age_column_there_is_no_age(sqlite: Place) -> None:
    assert queue_at(sqlite, max_age=None, age_column=None, max_depth=Limit(9)).oldest_row() is None


def test_rows_without_a_time_are_not_taken_for_an_empty_queue(sqlite: Place) -> None:
    queue = put(sqlite, "text", "null", 0)

    with pytest.raises(CannotTell, match=r"^age_column at is NULL in every row that waits$"):
        queue.oldest_row()


def test_a_row_from_the_future_says_something_about_the_clock(sqlite: Place) -> None:
    queue = put(sqlite, "text", SQLITE["text"].replace("-", "+"), 7230)

    with pytest.raises(CannotTell) as failure:
        queue.oldest_row()

    first, second, *_ = str(failure.value).splitlines()
    assert first.startswith("clock: oldest row is dated 2 h")
    assert second.startswith("jobs.at says 20")


def test_a_clock_that_is_a_little_ahead_makes_no_negative_age(sqlite: Place) -> None:
    assert age_of(put(sqlite, "text", SQLITE["text"].replace("-", "+"), 200)) == 0


def test_the_allowed_skew_can_be_set(sqlite: Place) -> None:
    put(sqlite, "text", SQLITE["text"].replace("-", "+"), 200)

    with pytest.raises(CannotTell, match="clock"):
        queue_at(sqlite, clock_skew=timedelta(minutes=1)).oldest_row()


def test_what_is_no_time_is_not_shown(sqlite: Place) -> None:
    queue = put(sqlite, "text", "'hunter2'", 0)

    with pytest.raises(CannotTell, match=r"^age_column at holds no time but text\n") as failure:
        queue.oldest_row()

    assert "hunter2" not in str(failure.value)


def test_a_column_that_does_not_exist_is_named(sqlite: Place) -> None:
    """SQLite would take its quoted name for a text."""
    put(sqlite, "text", SQLITE["text"], 1)

    with pytest.raises(CannotTell, match="no such column"):
        queue_at(sqlite, age_column="born").oldest_row()

"""A queue is judged by how many rows wait, for how long, and whether any leave it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from places import Place, server_place, sqlite_place
from servers.postgres import PostgresServer

from pytest_yakei.errors import CannotTell
from pytest_yakei.measures import take
from pytest_yakei.probes.queues import AtLeast, Queue, Settings, probe
from yakei_shared.limits import Limit

MINUTE = timedelta(minutes=1)
SETUP = ["create table jobs (id int primary key, taken int, at varchar(40))"]
KINDS = [
    "sqlite",
    pytest.param("postgres", marks=pytest.mark.server),
    pytest.param("mariadb", marks=pytest.mark.server),
]


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Place]:
    """An SQLite file with the empty table `jobs`."""
    with sqlite_place(tmp_path, SETUP) as place:
        yield place


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """The same, in each kind of database."""
    if request.param == "sqlite":
        with sqlite_place(tmp_path, SETUP) as made:
            yield made
        return
    with server_place(request.getfixturevalue(request.param), SETUP) as made:
        yield made


def queue_at(place: Place, *, memory: Any = None, after: Any = None, **settings: Any) -> Queue:
    """Return the queue `jobs` as it is judged so long from now."""
    if "sql" not in settings:
        settings.setdefault("table", "jobs")
    if not settings.keys() & {"max_depth", "max_age", "max_stall"}:
        settings["max_depth"] = Limit(1000)
    now = datetime.now(UTC) + (after or timedelta(0))
    return probe(place.context(Settings(database="main", **settings), memory=memory, now=now))


def fill(place: Place, count: int, first: int = 1) -> None:
    """Put rows in, with ascending ids."""
    rows = ", ".join(f"({first + number}, null, null)" for number in range(count))
    place.execute(f"insert into jobs values {rows}")


def judge(queue: Queue) -> None:
    """Do what the check `test_depth` does."""
    waiting, _ = take("waiting", queue.depth(), "rows")
    with queue.explained():
        waiting.below(queue.max_depth)


def failure_of(call: Callable[[], Any], kind: type[Exception] = CannotTell) -> str:
    with pytest.raises(kind) as failure:
        call()
    return str(failure.value)


def test_a_queue_one_short_of_its_limit_passes(place: Place) -> None:
    fill(place, 999)

    judge(queue_at(place))


@pytest.mark.parametrize("rows", [1000, 1001])
def test_a_queue_at_its_limit_or_over_it_fails(place: Place, rows: int) -> None:
    fill(place, rows)

    failure = failure_of(lambda: judge(queue_at(place)), AssertionError)

    assert failure.startswith(f"waiting: {rows} rows (limit: below 1000)\nQueue     jobs, in data")


def test_a_failure_says_what_to_do_first(sqlite: Place) -> None:
    fill(sqlite, 3)

    failure = failure_of(lambda: judge(queue_at(sqlite, max_depth=Limit(3))), AssertionError)

    assert "Do        1. are the consumers alive?" in failure


def test_only_unfinished_rows_count_where_the_configuration_says_so(place: Place) -> None:
    place.execute("insert into jobs values (1, 1, null), (2, null, null), (3, null, null)")

    assert queue_at(place, where="taken is null -- not done yet").depth() == 2


def test_a_condition_may_call_the_table_by_its_name(place: Place) -> None:
    fill(place, 2)

    assert queue_at(place, where="jobs.id = 1").depth() == 1


def test_a_great_queue_is_not_counted_to_its_end(place: Place) -> None:
    digits = " union all ".join(f"select {digit} as n" for digit in range(10))
    numbers = ", ".join(f"({digits}) as d{place_}" for place_ in range(5))
    number = " + ".join(f"d{place_}.n * {10**place_}" for place_ in range(5))
    place.execute(f"insert into jobs (id) select {number} from {numbers}")
    place.execute("insert into jobs (id) values (100000)")

    depth = queue_at(place).depth()

    assert isinstance(depth, AtLeast)
    assert f"{depth} rows" == "at least 100000 rows"


def test_a_limit_above_that_is_counted_tenfold(sqlite: Place) -> None:
    fill(sqlite, 3)

    assert str(queue_at(sqlite, max_depth=Limit(1_000_000)).depth()) == "3"


def test_a_missing_table_is_no_empty_queue(place: Place) -> None:
    place.execute("drop table jobs")

    failure = failure_of(queue_at(place).depth)

    assert failure.startswith("queue main: table missing: jobs, in database main;")


@pytest.mark.parametrize("kind", [pytest.param("postgres", marks=pytest.mark.server)])
def test_a_table_may_be_in_a_schema_and_have_any_name(
    kind: str, request: pytest.FixtureRequest
) -> None:
    setup = ['create schema "Select"', 'create table "Select"."Or""der" (at timestamptz)']
    with server_place(request.getfixturevalue(kind), setup) as place:
        queue = queue_at(place, table='Select.Or"der', age_column="at")

        assert (queue.depth(), queue.oldest_row()) == (0, timedelta(0))


@pytest.mark.parametrize("where", ["nosuch(id)", "nosuch = 1"])
def test_a_mistake_in_the_condition_is_not_taken_for_a_missing_table(
    place: Place, where: str
) -> None:
    failure = failure_of(queue_at(place, where=where).depth)

    assert "nosuch" in failure.splitlines()[0]
    assert "table missing" not in failure


def test_a_null_is_no_value_and_no_zero(place: Place) -> None:
    failure = failure_of(lambda: judge(queue_at(place, sql="select null")), AssertionError)

    assert failure.startswith("waiting: no value (limit: below 1000)\nQueue     asked by select n")


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("select 1 from jobs where id < 0", "no row, expected exactly one"),
        ("select id from jobs", "2 rows, expected exactly one"),
        ("select count(*), 2 from jobs", "a row of 2 columns, expected exactly one"),
        ("select -1", "-1 rows; is it a difference of counters"),
    ],
)
def test_a_statement_has_to_give_one_number_of_rows(place: Place, sql: str, problem: str) -> None:
    fill(place, 2)

    assert problem in failure_of(queue_at(place, sql=sql).depth)


@pytest.mark.parametrize("sql", ["select '1396'", "select cast(1396 as decimal(9, 2))"])
def test_a_number_is_compared_as_one_however_it_is_given(place: Place, sql: str) -> None:
    failure = failure_of(lambda: judge(queue_at(place, sql=sql)), AssertionError)

    assert "waiting: 1396" in failure


@pytest.mark.parametrize("sql", ["select 'many'", "select ''"])
def test_a_text_is_no_number(place: Place, sql: str) -> None:
    assert "not a number" in failure_of(lambda: judge(queue_at(place, sql=sql)), AssertionError)


@pytest.mark.server
def test_not_a_number_is_no_value(postgres: PostgresServer) -> None:
    with server_place(postgres) as place:
        queue = queue_at(place, sql="select 'NaN'::numeric")

        assert "no value" in failure_of(lambda: judge(queue), AssertionError)


def test_progress_without_a_number_cannot_be_told(sqlite: Place) -> None:
    queue = queue_at(sqlite, max_stall=Limit(MINUTE), progress_sql="select null")

    assert failure_of(queue.stalled) == "progress_sql: expected a number, got no value"


def test_a_counter_of_removed_rows_is_progress(sqlite: Place) -> None:
    memory: dict[str, Any] = {}
    sqlite.execute("create table stats (removed)")
    sqlite.execute("insert into stats values ('7')")
    fill(sqlite, 3)
    rule = {
        "memory": memory,
        "max_stall": Limit(MINUTE),
        "progress_sql": "select removed from stats",
    }
    queue_at(sqlite, **rule).stalled()
    stood = queue_at(sqlite, after=2 * MINUTE, **rule).stalled()
    sqlite.execute("update stats set removed = 8")
    moved = queue_at(sqlite, after=4 * MINUTE, **rule).stalled()

    assert round(stood / MINUTE) == 2
    assert moved == timedelta(0)


def test_a_queue_whose_first_row_stays_has_stalled_however_short_it_is(place: Place) -> None:
    memory: dict[str, Any] = {}
    fill(place, 1)
    rule = {"memory": memory, "max_stall": Limit(15 * MINUTE), "progress_column": "id"}
    first = queue_at(place, **rule).stalled()
    fill(place, 1, first=2)
    second = queue_at(place, after=20 * MINUTE, **rule).stalled()

    assert first == timedelta(0)
    assert round(second / MINUTE) == 20
    assert place.notes[0].startswith("2 rows wait, no sign of a removal since 20")


def test_without_a_rule_about_progress_nothing_is_asked(sqlite: Place) -> None:
    sqlite.execute("drop table jobs")

    assert queue_at(sqlite, age_column="at").stalled() is None


def test_rows_without_an_id_cannot_tell_progress(place: Place) -> None:
    fill(place, 2)
    queue = queue_at(place, max_stall=Limit(MINUTE), age_column="at")

    assert failure_of(queue.stalled) == "progress: at is NULL in every row that waits"

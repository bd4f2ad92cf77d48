"""The ready-made checks of queues, run as people run them, and what the server sees of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from places import Place, server_place, sqlite_place
from servers.mariadb import MariaDBServer
from servers.postgres import PostgresServer

from pytest_yakei.errors import CannotTell
from pytest_yakei.probes.queues import Queue, Settings, probe
from yakei_shared.limits import Limit

MONITORS = Path(__file__).parents[2] / "monitors" / "test_queues.py"
SETUP = ["create table jobs (id int primary key, taken int, at varchar(40))"]


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Place]:
    """An SQLite file with the empty table `jobs`."""
    with sqlite_place(tmp_path, SETUP) as place:
        yield place


def fill(place: Place, count: int) -> None:
    rows = ", ".join(f"({number}, null, null)" for number in range(count))
    place.execute(f"insert into jobs values {rows}")


@pytest.fixture
def run_monitors(sqlite: Place, pytester: pytest.Pytester) -> Callable[..., pytest.RunResult]:
    """Run the ready-made checks on a configuration of queues."""

    def run(queues: str, url: str = sqlite.url, *options: str) -> pytest.RunResult:
        (pytester.path / "yakei.toml").write_text(f'[databases]\nmain = "{url}"\n{queues}')
        pytester.makepyfile(test_queues=MONITORS.read_text(encoding="utf-8"))
        return pytester.runpytest_inprocess("-p", "pytest_yakei.plugin", *options)

    return run


FOUR = {"updater": 10, "analyze_page": 1396, "set_page_info": 3, "analyze_keyword": 0}


def test_of_four_queues_only_the_long_one_fails(
    run_monitors: Callable[..., pytest.RunResult], sqlite: Place
) -> None:
    entry = '[queues.{0}]\ndatabase = "main"\ntable = "{0}"\nmax_depth = 1000\n'
    numbers = "with recursive n (i) as (select 1 union all select i + 1 from n)"
    for name, depth in FOUR.items():
        sqlite.execute(f"create table {name} (id)")
        sqlite.execute(f"{numbers} insert into {name} select i from n limit {depth}")

    result = run_monitors("".join(map(entry.format, FOUR)))

    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines("*AssertionError: waiting: 1396 rows (limit: below 1000)")
    result.stdout.fnmatch_lines("FAILED test_queues.py::test_depth?analyze_page?*")


def test_each_queue_has_its_own_limit_and_a_warning_before_it(
    run_monitors: Callable[..., pytest.RunResult], sqlite: Place
) -> None:
    fill(sqlite, 60)
    entry = '[queues.{0}]\ndatabase = "main"\ntable = "jobs"\nmax_depth = {1}\n'
    pair = "{ warning = 60, critical = 1000 }"

    result = run_monitors(entry.format("small", 50) + entry.format("large", pair))

    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines("*waiting: 60 rows (limit: below 50)")
    result.stdout.fnmatch_lines("*waiting: 60 rows (warning limit: below 60)")


def test_a_database_that_is_down_is_one_cause(
    run_monitors: Callable[..., pytest.RunResult], closed_port: int
) -> None:
    entry = '[queues.{0}]\ndatabase = "main"\ntable = "jobs"\nmax_depth = 9\n'
    url = f"mysql://app:s3cret@127.0.0.1:{closed_port}/app"

    result = run_monitors(entry.format("a") + entry.format("b"), url, "-k", "depth")

    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(f"*database main: connection refused at 127.0.0.1:{closed_port}*")
    result.stdout.no_fnmatch_line("*s3cret*")


@pytest.mark.server
@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_only_selects_are_sent_in_a_session_that_cannot_write(
    kind: str,
    new_postgres: Callable[..., PostgresServer],
    new_mariadb: Callable[..., MariaDBServer],
) -> None:
    """The server's own log of statements is the witness."""
    logged = _log_of_postgres(new_postgres) if kind == "postgres" else _log_of_mariadb(new_mariadb)

    assert len([line for line in logged if line.startswith("select")]) >= 4
    assert not [
        line for line in logged if not line.startswith(("select", "set session", "set names"))
    ]


def _use(place: Place) -> None:
    fill(place, 1)
    place.database.scalar("select 'watched from here'")
    limits = {"max_depth": Limit(9), "max_age": Limit(timedelta(minutes=5)), "age_column": "at"}
    queue: Queue = probe(
        place.context(Settings(database="main", table="jobs", progress_column="id", **limits))
    )
    queue.depth()
    queue.stalled()
    for forbidden in (queue.oldest_row, lambda: place.database.rows("delete from jobs")):
        with pytest.raises(CannotTell):
            forbidden()


def _log_of_postgres(new_postgres: Callable[..., PostgresServer]) -> list[str]:
    server = new_postgres(log_statement="all", log_line_prefix="%a|")
    with server_place(server, SETUP) as place:
        _use(place)
        assert place.database.scalar("show statement_timeout") != "0"
    lines = [line for line in server.log.read_text().splitlines() if line.startswith("yakei|")]
    sent = [line.partition("statement: ")[2] for line in lines if "LOG:  statement: " in line]
    return [line for line in sent if line != "delete from jobs" and line[:4] != "show"]


def _log_of_mariadb(new_mariadb: Callable[..., MariaDBServer]) -> list[str]:
    server = new_mariadb("--general-log=1", "--log-output=table")
    with server_place(server, SETUP) as place:
        _use(place)
        assert place.database.scalar("select @@max_statement_time") > 0
        thread = place.database.scalar("select connection_id()")
    log = "select argument from mysql.general_log where command_type = 'Query' and thread_id = %s"
    sent = [str(row[0]).lower() for row in server.execute(log, [thread])]
    return [line for line in sent if line not in {"delete from jobs", "set autocommit = 1"}]

"""What is judged about locks, by the rules alone and as the ready-made checks do it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lockers import actors, locks_of, wait_for
from places import Place, server_place, sqlite_place
from servers.mariadb import MariaDBServer
from servers.postgres import PostgresServer

from pytest_yakei.errors import NotConfigured
from pytest_yakei.probes.database_locks import Settings
from pytest_yakei.probes.database_locks.postgres import PostgresLocks
from pytest_yakei.probes.database_locks.sessions import Case, Session, roots, wait
from pytest_yakei.probes.database_locks.texts import story
from yakei_shared.limits import Limit

NOW = datetime(2026, 1, 31, 3, tzinfo=UTC)
METHODS = [
    "longest_wait",
    "longest_metadata_wait",
    "longest_idle",
    "longest_transaction",
    "oldest_prepared",
    "longest_write_stop",
    "count",
]
MONITORS = Path(__file__).parents[2] / "monitors" / "test_database_locks.py"


def test_sqlite_has_no_sessions_to_watch(tmp_path: Path) -> None:
    with sqlite_place(tmp_path) as place, pytest.raises(NotConfigured) as failure:
        locks_of(place).longest_wait()

    assert str(failure.value).startswith("database_locks.main.database: main (")
    assert str(failure.value).endswith("is SQLite, which has no sessions to watch")


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"max_wait": Limit(timedelta(0))}, "max_wait: expected more than zero"),
        ({"max_locks": Limit(5, 9)}, "max_locks: the warning has to come before the critical"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{problem}"):
        Settings(database="main", **settings)


@pytest.mark.parametrize(
    ("blocked_by", "expected"),
    [
        pytest.param({1: [2]}, (2,), id="one"),
        pytest.param({1: [2], 2: [3]}, (3,), id="a chain"),
        pytest.param({1: [2, 3], 2: [3]}, (3,), id="several before, one root"),
        pytest.param({1: [2], 2: [1]}, (), id="a deadlock, which the server ends itself"),
        pytest.param({1: []}, (), id="given free meanwhile"),
    ],
)
def test_the_root_is_who_waits_for_nobody(blocked_by: Any, expected: tuple[int, ...]) -> None:
    assert roots(1, blocked_by) == expected


def test_nobody_is_advised_to_end_the_servers_own_work() -> None:
    work = {"who": "autovacuum worker", "state": "active", "age": timedelta(hours=1)}
    vacuum = Session(pid=9, is_client=False, **work)
    web = Session(pid=7, who="user app", state="active", age=timedelta(hours=1))

    case = wait(web, timedelta(minutes=2), "table orders", [9], {7: web, 9: vacuum})

    assert case.pids == ()
    assert case.blockers == ("pid 9 (autovacuum worker) active for 1 h",)
    assert "ends by itself" in case.advice


@pytest.mark.server
@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_of_the_ready_made_checks_only_the_one_about_idling_fails(
    kind: str, request: pytest.FixtureRequest, pytester: pytest.Pytester
) -> None:
    server = request.getfixturevalue(kind)
    (pytester.path / "test_locks.py").write_text(MONITORS.read_text(encoding="utf-8"))
    setup = ["create table orders (id int)", "insert into orders values (1)"]
    with server_place(server, setup) as place, actors(server, place) as actor:
        actor("batch").begin("update orders set id = 2")
        wait_for(lambda: locks_of(place).longest_idle() > timedelta(seconds=0.5), "idling")
        (pytester.path / "yakei.toml").write_text(
            f'databases.main = "{place.url}"\n[database_locks.main]\ndatabase = "main"\n'
            'max_idle_in_transaction = "0.5s"\n'
        )
        result = pytester.runpytest_inprocess("-p", "pytest_yakei.plugin")

    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines("E*AssertionError: idle in transaction: * (limit: below 0.5 s)")
    result.stdout.fnmatch_lines("E*Found*pid * idle in transaction for *, since 20* +0000")


def test_only_the_worst_cases_are_told_in_full() -> None:
    cases = [Case(age=timedelta(minutes=9 - n), text=f"case {n}") for n in range(5)]
    lines = story(cases, PostgresLocks, "main (db01:5432/shop)", NOW).splitlines()

    assert lines == [
        "Database  main (db01:5432/shop)",
        "Found     case 0, since 2026-01-31 02:51:00 +0000",
        "Found     case 1, since 2026-01-31 02:52:00 +0000",
        "Found     case 2, since 2026-01-31 02:53:00 +0000",
        "          and 2 more, for less long",
    ]


@pytest.mark.server
def test_postgresql_is_sent_only_selects(new_postgres: Callable[..., PostgresServer]) -> None:
    """The server's own log of statements is the witness."""
    own = new_postgres(log_statement="all", log_line_prefix="%a|")
    with server_place(own) as place:
        ask_everything(place)
    entries = re.split(r"^(?=\w*\|)", own.log.read_text(), flags=re.MULTILINE)
    sent = [entry.partition("statement: ")[2] for entry in entries if entry.startswith("yakei|")]

    assert len(sent) > len(METHODS)
    assert {statement.split()[0] for statement in sent} == {"select"}


@pytest.mark.server
def test_mariadb_is_sent_only_selects(new_mariadb: Callable[..., MariaDBServer]) -> None:
    own = new_mariadb("--general-log=1", "--log-output=table")
    with server_place(own) as place:
        begun = place.database.scalar("select now(6)")
        thread = place.database.scalar("select connection_id()")
        ask_everything(place)
    log = "select argument from mysql.general_log where event_time > %s and thread_id = %s"
    sent = [str(row[0]) for row in own.execute(log, [begun, thread]) if row[0]]

    assert len(sent) > len(METHODS)
    assert {statement.split()[0] for statement in sent} == {"select"}


def ask_everything(place: Place) -> None:
    for method in METHODS:
        getattr(locks_of(place), method)()

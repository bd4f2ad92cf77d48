"""Checks in slots share a database: few connections, no place lost, none waits for ever."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from engine_runs import Run, run_checks
from servers.postgres import PostgresServer

pytestmark = [pytest.mark.server, pytest.mark.timeout(60)]

COUNT = "select count(*) from pg_stat_activity where application_name = 'yakei' and datname = %s"
NAMED = """
import pytest

@pytest.mark.parametrize("number", range(24))
def test_it(database, number, record_property):
    main = database("main")
    main.scalar("select pg_sleep(0.05)::text")
    record_property("connections", main.scalar({count!r}, [{name!r}]))
    record_property("backend", main.scalar("select pg_backend_pid()"))
"""
UNFORESEEN = NAMED.replace('database("main")', 'database("".join(["ma", "in"]))')

Shop = Callable[..., Run]


@pytest.fixture
def database_name(postgres: PostgresServer) -> str:
    """A database that only this test asks."""
    return postgres.create_database()


@pytest.fixture
def shop(tmp_path: Path, postgres: PostgresServer, database_name: str) -> Shop:
    """Run checks in slots, with `[databases.main]` of so many connections at most."""

    def run(checks: str, *options: str, limit: int | None, more: str = "") -> Run:
        (tmp_path / "yakei.toml").write_text(
            f'[databases.main]\nurl = "{postgres.url(database_name)}"\n'
            + (f"max_connections = {limit}\n" if limit else "")
            + more,
            encoding="utf-8",
        )
        return run_checks(tmp_path, checks, "--yakei-run", *options)

    return run


def noted(run: Run, name: str) -> list[int]:
    """Return what the checks have recorded under a name."""
    return [
        prop[name]
        for test in run.tests.values()
        for prop in test.get("user_properties", ())
        if name in prop
    ]


@pytest.mark.parametrize("checks", [NAMED, UNFORESEEN], ids=["named", "unforeseen"])
@pytest.mark.parametrize("limit", [1, 3])
def test_all_slots_together_hold_no_more_connections(
    shop: Shop, database_name: str, checks: str, limit: int
) -> None:
    text = checks.format(count=COUNT, name=database_name)
    ended = shop(text, "--yakei-slots=8", "--timeout=30", limit=limit)

    assert set(ended.outcomes.values()) == {"passed"}
    assert len(ended.outcomes) == 24
    assert max(noted(ended, "connections")) == limit


def test_a_worker_keeps_its_connection_for_the_next_check(shop: Shop, database_name: str) -> None:
    text = NAMED.format(count=COUNT, name=database_name)
    ended = shop(text, "--yakei-slots=8", limit=3)

    assert len(set(noted(ended, "backend"))) == 3


def test_without_a_word_eight_connections_are_enough(shop: Shop, database_name: str) -> None:
    text = NAMED.format(count=COUNT, name=database_name)
    ended = shop(text, "--yakei-slots=12", limit=None)

    assert max(noted(ended, "connections")) <= 8
    assert len(ended.outcomes) == 24


def test_a_worker_that_is_killed_leaves_its_place_to_others(shop: Shop) -> None:
    checks = """
import os, pytest, signal
@pytest.mark.parametrize("number", range(12))
def test_it(database, number):
    name = "".join(["ma", "in"])
    assert database(name).scalar("select 1") == 1
    if number % 2: os.kill(os.getpid(), signal.SIGKILL)
"""
    ended = shop(checks, "--yakei-slots=4", "--timeout=20", limit=1)

    assert [ended.outcomes[f"test_it[{n}]"] for n in range(12)] == ["passed", "failed"] * 6
    assert {ended.told(f"test_it[{n}]")["outcome"] for n in range(1, 12, 2)} == {"crashed"}


def test_a_check_says_whose_connections_it_waited_for(shop: Shop) -> None:
    checks = """
import pathlib, pytest, time
def test_holds(database):
    database("".join(["ma", "in"])).scalar("select 1")
    pathlib.Path("held").touch()
    time.sleep(4)
@pytest.mark.timeout(2)
def test_waits(database):
    while not pathlib.Path("held").exists():
        time.sleep(0.01)
    database("".join(["ma", "in"]))
"""
    ended = shop(checks, "--yakei-slots=2", limit=1)
    told = ended.told("test_waits")

    assert told["outcome"] == "not judged"
    assert told["unavailable"]["resource"] == "database main"
    assert told["unavailable"]["reason"].startswith("no connection free within 1.")
    assert told["unavailable"]["reason"].endswith("; [databases.main] max_connections = 1")


CROSSED = """
import pytest, time
def both(database, one, other):
    for _ in range(5):
        assert database("".join(one)).scalar("select 1") == 1
        time.sleep(0.02)
        assert database("".join(other)).scalar("select 1") == 1

@pytest.mark.parametrize("number", range(8))
def test_it(database, number):
    both(database, *([["ma", "in"], ["si", "de"]] if number % 2 else [["si", "de"], ["ma", "in"]]))
"""


def test_checks_that_use_two_databases_do_not_wait_for_each_other(
    shop: Shop, postgres: PostgresServer, database_name: str
) -> None:
    side = f'[databases.side]\nurl = "{postgres.url(database_name)}"\nmax_connections = 1\n'
    ended = shop(CROSSED, "--yakei-slots=4", "--timeout=20", limit=1, more=side)

    assert set(ended.outcomes.values()) == {"passed"}
    assert ended.seconds < 15


def test_a_connection_that_the_next_check_does_not_need_is_given_up(shop: Shop) -> None:
    checks = """
import pytest, time
def test_first(database): database("main").scalar("select 1")
def test_long(): time.sleep(3)
@pytest.mark.parametrize("number", range(20))
def test_next(database, number): database("main").scalar("select pg_sleep(0.02)::text")
def test_long_too(): time.sleep(3)
"""
    ended = shop(checks, "--yakei-slots=2", limit=1)
    waited = [test["call"]["duration"] for name, test in ended.tests.items() if "next" in name]

    assert set(ended.outcomes.values()) == {"passed"}
    assert max(waited) < 1


def test_the_drivers_own_connection_is_not_ended_under_a_check(shop: Shop) -> None:
    checks = """
import pytest, time
@pytest.mark.parametrize("number", range(6))
def test_it(database, number):
    cursor = database("".join(["ma", "in"])).connection.cursor()
    time.sleep(0.05)
    database("".join(["si", "de"]))
    cursor.execute("select 1")
"""
    ended = shop(checks, "--yakei-slots=3", limit=1, more='[databases.side]\nurl = "sqlite:///x"\n')

    assert ended.told("test_it[0]")["fact"].startswith("cannot tell: database side:")


DEAD = """
import pytest
@pytest.mark.parametrize("number", range(14))
def test_it(database, number): database("away").scalar("select 1")
"""


@pytest.mark.parametrize("slots", [0, 2])
def test_one_check_finds_a_database_down_for_all(shop: Shop, silent_port: int, slots: int) -> None:
    away = (
        f'[databases.away]\nurl = "postgresql://x@127.0.0.1:{silent_port}/x"\n'
        'connect_timeout = "1s"\n'
    )
    ended = shop(DEAD, f"--yakei-slots={slots}", limit=None, more=away)
    reasons = {ended.told(name)["unavailable"]["reason"] for name in ended.tests}

    assert reasons == {f"timed out after 1 s at 127.0.0.1:{silent_port}"}
    assert sum(test["call"]["duration"] for test in ended.tests.values()) < 1.5 * max(slots, 1)


def test_a_database_that_is_down_is_named_also_by_a_check_that_may_not_wait_for_it_so_long(
    tmp_path: Path, silent_port: int
) -> None:
    """A check's time may be shorter than the connect timeout, which is five seconds."""
    url = f"postgresql://app@127.0.0.1:{silent_port}/app"
    (tmp_path / "yakei.toml").write_text(f'[databases]\nmain = "{url}"\n', encoding="utf-8")
    checks = "def test_it(database): database('main').scalar('select 1')"
    told = run_checks(tmp_path, checks, "--yakei-run", "--timeout=2").told("test_it")

    assert told["outcome"] == "not judged"
    assert told["unavailable"]["resource"] == "database main"

"""The ready-made checks of Slony-I, run as people run them, on a real cluster."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from servers.postgres import PostgresServer
from servers.processes import wait_until
from servers.slony import SlonyCluster
from slony_nodes import cluster, down_for_long, make_old, watched

pytestmark = pytest.mark.server

__all__ = ["cluster"]

MONITORS = Path(__file__).parents[2] / "monitors" / "test_slony.py"
Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run_monitors(pytester: pytest.Pytester) -> Run:
    """Run the ready-made checks on a configuration."""

    def run(url: str, *lines: str) -> pytest.RunResult:
        text = "\n".join(["[databases]", f'main = "{url}"', *lines])
        (pytester.path / "yakei.toml").write_text(text, encoding="utf-8")
        pytester.makepyfile(test_slony=MONITORS.read_text(encoding="utf-8"))
        return pytester.runpytest_inprocess("-p", "pytest_yakei.plugin")

    return run


def entry(cluster: str = "MyCluster", *keys: str) -> list[str]:
    return ["[slony.main]", 'database = "main"', f'cluster = "{cluster}"', *keys]


def test_a_healthy_cluster_passes_on_both_nodes(run_monitors: Run, cluster: SlonyCluster) -> None:
    log = f'log = "{cluster.log(1)}"\nlog_window = "1s"'

    run_monitors(cluster.url(1), *entry("MyCluster", log)).assert_outcomes(passed=4)
    run_monitors(cluster.url(2), *entry()).assert_outcomes(passed=2)


def test_a_stopped_slon_fails_its_own_check(run_monitors: Run, cluster: SlonyCluster) -> None:
    down_for_long(cluster)

    result = run_monitors(cluster.url(1), *entry("MyCluster", 'max_lag = "10m"'))

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines("*slon not running on node 1 (leftover lock is harmless)")
    result.stdout.fnmatch_lines("FAILED test_slony.py::test_slon_holds_its_lock?main?*")


def test_a_late_subscriber_fails_with_its_lag_and_its_limit(
    run_monitors: Run, cluster: SlonyCluster
) -> None:
    cluster.stop_slon(2)
    make_old(cluster)
    with watched(cluster) as slony:
        wait_until(lambda: slony.lags()["node 1 newest event"] < timedelta(seconds=9), "an event")

    result = run_monitors(cluster.url(1), *entry("MyCluster", 'max_lag = "20s"'))

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines("*AssertionError: node 2 lag: * min* (limit: below 20 s)")


def test_a_cluster_that_is_missing_fails(run_monitors: Run, postgres: PostgresServer) -> None:
    result = run_monitors(postgres.url(), *entry("slony1"))

    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines('*CannotTell: no Slony-I schema "_slony1" in main*')


def test_without_slony_nothing_is_collected(run_monitors: Run, postgres: PostgresServer) -> None:
    result = run_monitors(postgres.url())

    result.assert_outcomes()
    result.stdout.no_fnmatch_line("*SKIPPED*")


def test_a_database_of_another_kind_is_a_wrong_configuration(
    run_monitors: Run, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.execute("create table parcel (id)")

    result = run_monitors(f"sqlite:///{tmp_path}/shop.db", *entry("slony1"))

    result.stdout.fnmatch_lines("*slony.main.database: expected a PostgreSQL database, got sqlite*")

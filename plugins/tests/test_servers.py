"""The throw-away servers themselves: they start, hang on demand, and leave nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from servers.mariadb import MariaDBServer
from servers.postgres import PostgresServer
from servers.slony import SlonyCluster

pytestmark = pytest.mark.server


def test_the_shared_postgresql_answers(postgres: PostgresServer) -> None:
    database = postgres.create_database("shop")

    assert postgres.execute("select current_database()", database=database) == [(database,)]


def test_a_postgresql_server_of_ones_own_has_the_settings_asked_for(
    new_postgres: Callable[..., PostgresServer],
) -> None:
    server = new_postgres(max_connections=7)
    server.restart()
    server.kill()
    server.start()

    assert server.execute("show max_connections") == [("7",)]


def test_the_shared_mariadb_answers(mariadb: MariaDBServer) -> None:
    database = mariadb.create_database("shop")

    assert mariadb.execute("select database()", database=database) == [(database,)]


def test_a_mariadb_server_of_ones_own_has_the_options_asked_for(
    new_mariadb: Callable[..., MariaDBServer],
) -> None:
    server = new_mariadb("--max-connections=17")
    server.kill()
    server.start()

    assert server.execute("select @@max_connections") == [(17,)]


def test_a_slony_cluster_replicates(slony_cluster: Callable[[str], SlonyCluster]) -> None:
    cluster = slony_cluster("MyCluster")
    cluster.stop_slon(2)
    cluster.insert("while the subscriber was away")
    cluster.start_slon(2)
    cluster.wait_replicated()

    assert cluster.rows(2) == cluster.rows(1)


def test_a_killed_slon_leaves_no_process(slony_cluster: Callable[[str], SlonyCluster]) -> None:
    cluster = slony_cluster("MyCluster")
    pid = cluster.slon(1).pid
    cluster.kill_slon(1)
    cluster.start_slon(1)

    assert not Path(f"/proc/{pid}").exists()

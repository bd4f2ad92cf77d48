"""A real Slony-I cluster of two nodes, watched through `yakei run`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from bystanders import Start, asleep
from real import Watch, watch
from servers.postgres import ACCOUNT
from servers.processes import account, private_folder, wait_until
from servers.slony import SlonyCluster
from slony_nodes import bring_up, give_lock

pytestmark = pytest.mark.server
__all__ = ["asleep", "watch"]

Clusters = Callable[[str], SlonyCluster]
NAME = "MyCluster"
LOCK = "test_slon_holds_its_lock"
FOLLOWS = "test_every_subscriber_follows"


def watched(*clusters: SlonyCluster) -> str:
    """Return the tables of the origins of clusters, and of the first one's subscriber."""
    first = clusters[0]
    nodes = f'[databases]\norigin = "{first.url(1)}"\ncopy = "{first.url(2)}"\n'
    entries = [entry("copy", "copy", first.name)]
    entries += [entry(f"origin-{each.name}", "origin", each.name) for each in clusters]
    return nodes + "".join(entries)


def entry(name: str, database: str, cluster: str) -> str:
    """Return the table of a node."""
    lag = 'max_lag = "20s"'
    return f'[slony.{name}]\ndatabase = "{database}"\ncluster = "{cluster}"\n{lag}\n'


@pytest.fixture
def cluster(slony_cluster: Clusters) -> SlonyCluster:
    """A cluster in which both slons are at work, and have caught up with what a test held back."""
    cluster = slony_cluster(NAME)
    for node in (1, 2):
        bring_up(cluster, node)
    lag = f"select max(st_lag_time) < interval '15 s' from \"{cluster.schema}\".sl_status"
    wait_until(lambda: cluster.execute(1, lag)[0][0], "the confirmation of what was held back")
    return cluster


def test_a_healthy_cluster_is_silent_again_and_again(watch: Watch, cluster: SlonyCluster) -> None:
    watch.use("slony", configuration=watched(cluster))

    assert [watch.run().is_silent for _ in range(3)] == [True] * 3


def test_a_stopped_slon_is_told_with_its_harmless_row(watch: Watch, cluster: SlonyCluster) -> None:
    watch.use("slony", configuration=watched(cluster))
    cluster.stop_slon(1)

    told = watch.run()
    bring_up(cluster, 1)

    assert told.bad == {f"failed {LOCK}[origin-{NAME}]"}
    assert f"slony origin-{NAME}: slon not running on node 1 (leftover" in told.subject
    assert "The row is left over and harmless" in told.screen
    assert "start slon; it exits 0 even when refused" in told.screen


def test_a_poisoned_lock_is_told_with_the_statement_that_clears_it(
    watch: Watch, cluster: SlonyCluster, asleep: Start
) -> None:
    watch.use("slony", configuration=watched(cluster))
    cluster.stop_slon(1)
    stranger = asleep(user="postgres").pid
    give_lock(cluster, stranger)

    told = watch.run()
    bring_up(cluster, 1)

    assert f"failed {LOCK}[origin-{NAME}]" in told.bad
    assert "node 1 lock is poisoned, slon cannot start" in told.screen
    assert f'holds pid {stranger} = "sleep 600", user postgres' in told.screen
    assert f'DELETE FROM "_{NAME}".sl_nodelock' in told.body
    assert "be sure that no second slon runs" in told.body


def test_a_subscriber_that_stands_still_is_told_by_its_lag(
    watch: Watch, cluster: SlonyCluster
) -> None:
    """The events of the origin wait; its own slon is not called dead."""
    watch.use("slony", configuration=watched(cluster))
    cluster.stop_slon(2)
    lag = f"select max(st_lag_time) > interval '21 s' from \"{cluster.schema}\".sl_status"
    wait_until(lambda: cluster.execute(1, lag)[0][0], "21 s of lag")

    told = watch.run()
    bring_up(cluster, 2)
    cluster.wait_replicated()

    assert f"failed {FOLLOWS}[origin-{NAME}]" in told.bad
    assert f"failed {LOCK}[origin-{NAME}]" not in told.bad
    assert "node 2 lag: " in told.body
    assert "slon not running on node 2" in told.screen


@contextmanager
def beside(cluster: SlonyCluster, name: str) -> Iterator[SlonyCluster]:
    """Yield a cluster of one node in the same database."""
    with private_folder(account(ACCOUNT)) as folder:
        other = SlonyCluster(name, cluster.server, folder)
        other._databases = cluster._databases
        other.slonik("init cluster (id = 1, comment = 'alone');")
        bring_up(other, 1)
        try:
            yield other
        finally:
            other.stop()
            other.slonik("uninstall node (id = 1);")


def test_two_clusters_in_one_database_are_told_apart(watch: Watch, cluster: SlonyCluster) -> None:
    """The other one has no subscriber yet, which is a failure of its own."""
    with beside(cluster, "other") as other:
        watch.use("slony", configuration=watched(cluster, other))
        before = watch.run()
        other.stop_slon(1)

        after = watch.run()

    assert before.bad == {f"failed {FOLLOWS}[origin-other]"}
    assert after.bad == {f"failed {FOLLOWS}[origin-other]", f"failed {LOCK}[origin-other]"}
    assert "slony origin-other: slon not running on node 1" in after.screen


def test_a_stopped_database_is_one_message(watch: Watch, new_slony_cluster: Clusters) -> None:
    cluster = new_slony_cluster(NAME)
    watch.use("slony", configuration=watched(cluster))
    cluster.server.stop()

    told = watch.run()
    cluster.server.start()

    place = f"127.0.0.1:{cluster.server.port}"
    assert f"database origin: connection refused at {place}" in told.screen
    assert f"database copy: connection refused at {place}" in told.screen
    assert {each.partition(" test_")[0] for each in told.bad} == {"not judged"}

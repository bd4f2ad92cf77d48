"""What looks bad for ten seconds after a crash, and is put right by slon's watchdog alone."""

from __future__ import annotations

import signal

import pytest
from servers import processes
from servers.slony import SlonyCluster
from slony_nodes import Clusters, faults_of, holder

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def cluster(slony_cluster: Clusters) -> SlonyCluster:
    """A cluster that the tests put out of step for some seconds."""
    return slony_cluster("main")


def test_slon_may_take_ten_seconds_to_come_back_after_a_crash_of_its_worker(
    cluster: SlonyCluster,
) -> None:
    before, notes = holder(cluster), list[str]()
    (worker,) = processes.children(cluster.slon(1).pid)
    processes.send(worker, signal.SIGKILL)
    processes.wait_gone(worker)

    said = faults_of(cluster, notes=notes)

    assert said == ""
    assert holder(cluster) != before
    assert notes[0].startswith("slon was about to come or to go; looked")


def test_slon_may_take_ten_seconds_to_come_back_after_a_crash_of_postgresql(
    cluster: SlonyCluster,
) -> None:
    before = holder(cluster)
    cluster.server.stop(signal.SIGQUIT)
    cluster.server.start()

    assert [faults_of(cluster, node) for node in (1, 2)] == ["", ""]
    assert holder(cluster) != before


def test_a_slon_that_has_just_been_stopped_is_told_in_the_same_run(cluster: SlonyCluster) -> None:
    cluster.stop_slon(1)

    text = faults_of(cluster)

    assert text.startswith("slon not running on node 1 (leftover lock is harmless)")
    assert "a stop leaves it, and slon removes it at its start" in text

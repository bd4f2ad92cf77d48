"""What the monitor has to be allowed, and what it can tell from another host."""

from __future__ import annotations

import pytest
from bystanders import Start, asleep, run_python
from servers.processes import account
from servers.slony import SlonyCluster
from slony_nodes import cluster, down_for_long, faults_of, give_lock, new_role, watched

from pytest_yakei.errors import CannotTell

pytestmark = pytest.mark.server

__all__ = ["asleep", "cluster"]


def test_a_role_without_pg_monitor_cannot_tell_and_does_not_say_dead(
    cluster: SlonyCluster,
) -> None:
    role = new_role(cluster, may_read=True, is_monitor=False)

    with pytest.raises(CannotTell, match=r"^needs pg_monitor: user watcher_\d+ sees nothing"):
        faults_of(cluster, user=role)


def test_a_role_with_pg_monitor_and_a_few_tables_is_enough(cluster: SlonyCluster) -> None:
    role = new_role(cluster, may_read=True, is_monitor=True)

    with watched(cluster, user=role) as slony:
        assert not slony.faults()
        assert not slony.lost_subscribers()
        assert slony.lags().keys() == {"node 1 newest event", "node 2 lag"}


def test_a_missing_right_is_told_with_what_to_grant(cluster: SlonyCluster) -> None:
    role = new_role(cluster, may_read=False, is_monitor=True)

    with pytest.raises(CannotTell, match="permission denied") as failure:
        faults_of(cluster, user=role)

    assert f'grant usage on schema "_MyCluster" to "{role}"' in str(failure.value)
    assert '"_MyCluster".sl_nodelock, "_MyCluster".sl_components' in str(failure.value)


def test_a_cluster_that_is_not_there_is_told_with_those_that_are(cluster: SlonyCluster) -> None:
    with pytest.raises(CannotTell, match='no Slony-I schema "_mycluster" in main') as failure:
        faults_of(cluster, named="mycluster")

    assert "Clusters' schemas there: _MyCluster." in str(failure.value)


ASK = """
import sys
from datetime import UTC, datetime
from pytest_yakei.context import Context
from pytest_yakei.databases import connect
from pytest_yakei.probes.slony import Settings, probe

database = connect("main", sys.argv[1])
settings = Settings(database="main", cluster="MyCluster")
print(probe(Context(name="main", settings=settings, database=lambda name: database, memory={},
                    now=datetime.now(UTC), note=str)).faults())
"""
ELSEWHERE = ["unshare", "-pf", "--mount-proc"]
"""Where the server's processes are not to be seen, as on another host."""


def test_from_another_host_a_pid_without_a_backend_is_left_open(
    cluster: SlonyCluster, asleep: Start
) -> None:
    down_for_long(cluster)
    give_lock(cluster, asleep(user=account("postgres")).pid)

    text = run_python(ASK, cluster.url(1), through=ELSEWHERE)

    assert text.startswith("slon not running on node 1; its lock may refuse a start")
    assert "only the database's host can tell" in text
    assert "ps -o pid,user,lstart,args -p " in text


def test_from_another_host_a_healthy_cluster_is_well(cluster: SlonyCluster) -> None:
    assert run_python(ASK, cluster.url(1), through=ELSEWHERE) == ""

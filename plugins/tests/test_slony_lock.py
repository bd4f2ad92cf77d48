"""The node lock of a real Slony-I cluster: what we say of it, and what slon itself does."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from bystanders import NOBODYS_PID, Start, as_account, asleep, reborn
from servers.processes import account, wait_gone, wait_until
from servers.slony import SlonyCluster
from slony_nodes import (
    cluster,
    down_for_long,
    faults_of,
    give_lock,
    holder,
    take_away_lock,
    try_to_start,
    watched,
)

from pytest_yakei.probes.slony.sight import LISTENER, take_sight
from pytest_yakei.probes.slony.texts import Case, text_of
from pytest_yakei.probes.slony.verdicts import Verdict, judge

pytestmark = pytest.mark.server

__all__ = ["asleep", "cluster"]

MINUTE = timedelta(minutes=1)
POISONED = "node 1 lock is poisoned, slon cannot start"
HARMLESS = "slon not running on node 1 (leftover lock is harmless)"
STRANGERS = {
    "a process of the server's user": True,
    "the background writer": True,
    "the postmaster": True,
    "a backend of another database": True,
    "process 1": False,
    "a process of another user": False,
    "nobody": False,
}
"""Who may have a lock's pid, and whether slon then refuses to start."""


@pytest.fixture
def stranger(cluster: SlonyCluster, asleep: Start) -> Iterator[Callable[[str], int]]:
    """Gives the pid of somebody who is not this cluster's slon."""
    auxiliary = "select pid from pg_stat_activity where backend_type = %s"
    with ExitStack() as stack:

        def backend(database: str, application: str) -> int:
            connection = stack.enter_context(closing(cluster.server.connect(database)))
            with connection.cursor() as cursor:
                cursor.execute("set application_name = %s", (application,))
            pid: int = connection.info.backend_pid
            return pid

        makers: dict[str, Callable[[], int]] = {
            "a process of the server's user": lambda: asleep(user=account("postgres")).pid,
            "the background writer": lambda: cluster.server.execute(
                auxiliary, ("background writer",)
            )[0][0],
            "the postmaster": lambda: cluster.server.pid,
            "a backend of another database": lambda: backend("postgres", "app"),
            "a slon of another cluster": lambda: backend(cluster.database(1), LISTENER),
            "process 1": lambda: 1,
            "a process of another user": lambda: asleep(user="nobody").pid,
            "nobody": lambda: NOBODYS_PID,
        }
        yield lambda who: makers[who]()


def test_a_healthy_idle_cluster_is_well_at_every_look(cluster: SlonyCluster) -> None:
    newest = f'select max(ev_seqno) from "{cluster.schema}".sl_event where ev_origin = 1'
    said = []
    for _ in range(5):
        before = cluster.execute(1, newest)
        said.append(faults_of(cluster) + faults_of(cluster, 2))
        wait_until(lambda seen=before: cluster.execute(1, newest) != seen, "next event")

    assert said == [""] * 5


@pytest.mark.parametrize("who", STRANGERS)
def test_slon_itself_agrees_whether_a_strangers_pid_keeps_it_from_starting(
    cluster: SlonyCluster, stranger: Callable[[str], int], who: str
) -> None:
    down_for_long(cluster)
    give_lock(cluster, stranger(who))

    fact = faults_of(cluster).partition("\n")[0]

    assert (fact == POISONED) is STRANGERS[who]
    assert (fact == HARMLESS) is not STRANGERS[who]
    assert try_to_start(cluster) is not STRANGERS[who]


def test_a_lock_held_by_the_slon_of_another_cluster_is_poisoned(
    cluster: SlonyCluster, stranger: Callable[[str], int]
) -> None:
    """For its first seconds a new connection with slon's name is taken for slon's."""
    down_for_long(cluster)
    give_lock(cluster, stranger("a slon of another cluster"))
    with watched(cluster) as slony:
        sight = take_sight(slony._catalog)

    assert judge(sight, MINUTE) is Verdict.LIVE
    assert judge(replace(sight, now=sight.now + MINUTE), MINUTE) is Verdict.POISONED
    assert not try_to_start(cluster)


def test_a_poisoned_lock_is_told_with_its_holder_and_the_way_out(
    cluster: SlonyCluster, asleep: Start
) -> None:
    memory: dict[str, object] = {}
    faults_of(cluster, memory=memory)
    last = holder(cluster)
    down_for_long(cluster)
    user = account("postgres")
    pid = asleep(user=user).pid
    give_lock(cluster, pid)

    text = faults_of(cluster, memory=memory)

    assert f'holds pid {pid} = "' in text
    assert 'sleep 600", user ' in text
    assert f"slon held it, pid {last}" in text
    assert "1. be sure that no second slon runs:   pgrep -af slon" in text
    assert (
        '2. DELETE FROM "_MyCluster".sl_nodelock\n'
        "               WHERE nl_nodeid = \"_MyCluster\".getLocalNodeId('_MyCluster')"
        " AND nl_conncnt = 0;\n"
        "          3. start slon" in text
    )


def test_the_way_out_is_one(cluster: SlonyCluster, asleep: Start) -> None:
    down_for_long(cluster)
    give_lock(cluster, asleep(user=account("postgres")).pid)
    text = faults_of(cluster)
    statement = text[text.index("DELETE") :].partition(";")[0]

    cluster.execute(1, statement)

    assert try_to_start(cluster)
    assert faults_of(cluster) == ""


def test_a_pid_that_was_slons_and_is_now_a_strangers_is_told(cluster: SlonyCluster) -> None:
    """The pid in the lock is never touched: the kernel gives it out once more."""
    pid = holder(cluster)
    assert pid
    down_for_long(cluster)
    wait_gone(pid)
    # `reborn` recognises the program by its name, which therefore may not change.
    command = as_account("postgres", ["bash", "-c", "exec -a setpriv sleep 600"])
    with reborn(pid, command):
        wait_until(
            lambda: Path(f"/proc/{pid}/cmdline").read_bytes() == b"setpriv\x00600\x00", "exec"
        )
        text = faults_of(cluster)

        assert text.startswith(POISONED)
        assert f'holds pid {pid} = "setpriv 600", user postgres' in text
        assert not try_to_start(cluster)


def test_a_poisoned_lock_under_a_running_slon_is_told_before_its_next_start(
    cluster: SlonyCluster, asleep: Start
) -> None:
    ours = holder(cluster)
    give_lock(cluster, asleep(user=account("postgres")).pid)

    text = faults_of(cluster)
    assert ours
    give_lock(cluster, ours)

    assert text.startswith("node 1 lock is poisoned, slon cannot start again")
    assert "slon of node 1 runs still" in text
    assert "start slon" not in text


def test_a_slon_without_its_lock_is_told(cluster: SlonyCluster) -> None:
    ours = holder(cluster)
    assert ours
    take_away_lock(cluster)

    text = faults_of(cluster)
    give_lock(cluster, ours)

    assert text.startswith("slon of node 1 runs without its lock")
    assert f"Its connection has pid {ours}" in text


def test_a_slon_that_is_down_without_a_lock_is_told(cluster: SlonyCluster) -> None:
    down_for_long(cluster)
    take_away_lock(cluster)

    text = faults_of(cluster)

    assert text.startswith("slon not running on node 1\nsl_nodelock has no row (node 1, conn 0)")


def test_a_row_of_another_nodes_connection_is_no_lock(cluster: SlonyCluster) -> None:
    """Rows of remote slons are stale in every healthy cluster, for ten minutes after a change."""
    row = f'insert into "{cluster.schema}".sl_nodelock values (2, 77, 1), (1, 78, %s)'
    cluster.execute(1, row, (os.getpid(),))

    assert faults_of(cluster) == ""


def test_a_frozen_slon_is_told_by_its_silence(cluster: SlonyCluster) -> None:
    cluster.freeze_slon(1)
    try:
        with watched(cluster) as slony:
            sight = take_sight(slony._catalog)
        later = replace(sight, now=sight.now + timedelta(minutes=2))
        verdict = judge(later, MINUTE)
        case = Case(
            verdict=verdict, sight=later, max_silence=MINUTE, schema='"_MyCluster"', literal=""
        )
    finally:
        cluster.thaw_slon(1)

    assert judge(sight, MINUTE) is Verdict.LIVE
    assert verdict is Verdict.SILENT
    assert text_of(case).startswith("slon of node 1 is silent for 2 min")

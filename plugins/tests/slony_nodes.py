"""Nodes of a real Slony-I cluster to watch: broken on purpose, and put right afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from servers.processes import wait_until
from servers.slony import SlonyCluster

from pytest_yakei.context import Context
from pytest_yakei.databases import connect
from pytest_yakei.probes.slony import Settings, Slony, probe
from pytest_yakei.probes.slony.catalog import READ_BY_US

Clusters = Callable[[str], SlonyCluster]

LONG_AGO = "interval '2 minutes'"


@pytest.fixture
def cluster(slony_cluster: Clusters) -> Iterator[SlonyCluster]:
    """The module's cluster, with both slons at work after each test; its name needs quotes.

    Its server was started just now, so that the first fault is looked at for 15 seconds.
    """
    cluster = slony_cluster("MyCluster")
    yield cluster
    for node in (1, 2):
        bring_up(cluster, node)


@contextmanager
def watched(
    cluster: SlonyCluster,
    node: int = 1,
    *,
    user: str = "postgres",
    memory: dict[str, Any] | None = None,
    notes: list[str] | None = None,
    named: str = "",
    **settings: Any,
) -> Iterator[Slony]:
    """Yield the probe of a node; `named` is a wrong name for its cluster."""
    url = cluster.server.url(cluster.database(node), user=user)
    with closing(connect("main", url)) as database:
        context = Context(
            name="main",
            settings=Settings(database="main", cluster=named or cluster.name, **settings),
            database=lambda name: database,
            memory={} if memory is None else memory,
            now=datetime.now(UTC),
            note=([] if notes is None else notes).append,
        )
        yield probe(context)


def faults_of(cluster: SlonyCluster, node: int = 1, **options: Any) -> str:
    """Return what is said about a node's slon and lock; "" when all is well."""
    with watched(cluster, node, **options) as slony:
        return str(slony.faults())


def holder(cluster: SlonyCluster, node: int = 1) -> int | None:
    """Return the pid in a node's lock."""
    sql = f'select nl_backendpid from "{cluster.schema}".sl_nodelock'
    rows = cluster.execute(node, f"{sql} where nl_nodeid = %s and nl_conncnt = 0", (node,))
    return rows[0][0] if rows else None


def take_away_lock(cluster: SlonyCluster, node: int = 1) -> None:
    """Delete a node's lock, as an operator does."""
    sql = f'delete from "{cluster.schema}".sl_nodelock where nl_nodeid = %s and nl_conncnt = 0'
    cluster.execute(node, sql, (node,))


def give_lock(cluster: SlonyCluster, pid: int, node: int = 1) -> None:
    """Put a pid into a node's lock."""
    take_away_lock(cluster, node)
    cluster.execute(
        node, f'insert into "{cluster.schema}".sl_nodelock values (%s, 0, %s)', (node, pid)
    )


def make_old(cluster: SlonyCluster, node: int = 1, *, origin: int = 1) -> None:
    """Let all that a node knows of slon's work be two minutes old."""
    schema = f'"{cluster.schema}"'
    cluster.execute(node, f"update {schema}.sl_components set co_starttime = now() - {LONG_AGO}")
    age = f"update {schema}.sl_event set ev_timestamp = ev_timestamp - {LONG_AGO}"
    cluster.execute(node, f"{age} where ev_origin = %s", (origin,))


def down_for_long(cluster: SlonyCluster, node: int = 1) -> None:
    """Stop a node's slon, as if two minutes ago."""
    cluster.stop_slon(node)
    make_old(cluster, node, origin=node)


def try_to_start(cluster: SlonyCluster, node: int = 1) -> bool:
    """Start a node's slon; return whether it has come up rather than been refused."""
    cluster.start_slon(node)
    slon = cluster.slon(node)
    wait_until(
        lambda: slon.poll() is not None or _is_up(cluster, node), f"slon, see {cluster.log(node)}"
    )
    return slon.poll() is None


def bring_up(cluster: SlonyCluster, node: int) -> None:
    """Let a node's slon run, whatever a test has done to it."""
    if _is_up(cluster, node):
        return
    if node in cluster._slons:
        cluster.stop_slon(node)
    take_away_lock(cluster, node)
    assert try_to_start(cluster, node)


def _is_up(cluster: SlonyCluster, node: int) -> bool:
    """Return whether slon holds its lock and has reported so: a few seconds after its start."""
    sql = f"""
        select 1 from "{cluster.schema}".sl_nodelock
          join "{cluster.schema}".sl_components on co_connection_pid = nl_backendpid
          join pg_stat_activity on pid = nl_backendpid
         where nl_nodeid = %s and nl_conncnt = 0 and co_actor = 'local_listen'
           and application_name = 'slon.local_listen' and co_starttime > now() - interval '9 s'"""
    return bool(cluster.execute(node, sql, (node,)))


def new_role(cluster: SlonyCluster, *, may_read: bool, is_monitor: bool, node: int = 1) -> str:
    """Create a role with the rights that a monitor needs, or without some of them."""
    role = cluster.server.create_user("watcher")
    if may_read:
        schema = f'"{cluster.schema}"'
        tables = ", ".join(f"{schema}.{table}" for table in READ_BY_US)
        cluster.execute(node, f'grant usage on schema {schema} to "{role}"')
        cluster.execute(node, f'grant select on {tables} to "{role}"')
    if is_monitor:
        cluster.execute(node, f'grant pg_monitor to "{role}"')
    return role

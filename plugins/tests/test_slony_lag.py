"""How far subscribers are behind: of a real cluster, and of what a real one cannot show at will."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

import pytest
from places import Place, server_place
from servers.postgres import PostgresServer
from servers.processes import wait_until
from servers.slony import SlonyCluster
from slony_nodes import cluster, make_old, watched

from pytest_yakei.errors import CannotTell
from pytest_yakei.probes.slony import Settings, Slony, probe

pytestmark = pytest.mark.server

__all__ = ["cluster"]

SECOND = timedelta(seconds=1)


def lags_of(cluster: SlonyCluster, node: int = 1) -> dict[str, timedelta]:
    with watched(cluster, node) as slony:
        return slony.lags()


def test_an_idle_cluster_is_a_few_seconds_late_by_the_origins_and_the_subscribers_account(
    cluster: SlonyCluster,
) -> None:
    at_origin, at_subscriber = lags_of(cluster), lags_of(cluster, 2)

    assert list(at_origin) == ["node 1 newest event", "node 2 lag"]
    assert list(at_subscriber) == ["node 2 lag"]
    assert max(*at_origin.values(), *at_subscriber.values()) < 20 * SECOND


def test_a_subscriber_whose_slon_stopped_falls_behind_and_the_origins_events_do_not(
    cluster: SlonyCluster,
) -> None:
    cluster.stop_slon(2)
    wait_until(lambda: lags_of(cluster)["node 2 lag"] > 5 * SECOND, "lag of five seconds")
    wait_until(lambda: lags_of(cluster)["node 1 newest event"] < 2 * SECOND, "a new event")

    assert lags_of(cluster)["node 2 lag"] > 5 * SECOND
    wait_until(lambda: lags_of(cluster, 2)["node 2 lag"] > 5 * SECOND, "the same seen by node 2")


def test_an_origin_whose_slon_stopped_is_told_before_its_subscribers(cluster: SlonyCluster) -> None:
    cluster.stop_slon(1)
    make_old(cluster)

    lags = lags_of(cluster)

    assert list(lags) == ["node 1 newest event", "node 2 lag"]
    assert min(lags.values()) > 119 * SECOND


def test_a_subscriber_that_never_confirmed_anything_is_lost(cluster: SlonyCluster) -> None:
    cluster.stop_slon(1)  # it is the origin's slon that fetches the confirmations
    cluster.execute(1, f'delete from "{cluster.schema}".sl_confirm where con_received = 2')

    with watched(cluster) as slony:
        lost = slony.lost_subscribers()

        assert slony.lags() == {}
    assert str(lost).startswith("node 2 follows node 1 at an unknown distance\nit has no row in")


def test_a_subscriber_that_ought_to_be_there_and_is_not_is_lost(cluster: SlonyCluster) -> None:
    with watched(cluster, subscribers=(2, 3)) as slony:
        lost = slony.lost_subscribers()

    assert [finding.splitlines()[0] for finding in lost] == ["node 3 is not subscribed"]


STUB = (
    'create schema "_c"',
    "create function \"_c\".getLocalNodeId(name) returns int language sql as 'select 1'",
    'create table "_c".sl_nodelock (nl_nodeid int, nl_conncnt int, nl_backendpid int)',
    'create table "_c".sl_subscribe (sub_set int, sub_provider int, sub_receiver int)',
    'alter table "_c".sl_subscribe add sub_forward bool, add sub_active bool',
    'create table "_c".sl_status (st_origin int default 1, st_received int, st_lag_time interval)',
    'create table "_c".sl_event (ev_origin int, ev_timestamp timestamptz)',
)
"""The part of Slony's schema that is read, with nobody behind it."""


@pytest.fixture
def stub(postgres: PostgresServer) -> Iterator[Place]:
    """A database with tables as Slony has them."""
    with server_place(postgres, STUB) as place:
        yield place


@pytest.fixture
def shown(stub: Place) -> Callable[..., Slony]:
    """Gives a probe of the stub with these rows in its tables."""

    def shown_(
        subscribe: Sequence[str], status: Sequence[str] = (), event: Sequence[str] = ()
    ) -> Slony:
        for row in subscribe:
            stub.execute(
                'insert into "_c".sl_subscribe (sub_set, sub_provider, sub_receiver, sub_active)'
                f" values ({row})"
            )
        for row in status:
            stub.execute(f'insert into "_c".sl_status (st_received, st_lag_time) values ({row})')
        for row in event:
            stub.execute(f'insert into "_c".sl_event values ({row})')
        return probe(stub.context(Settings(database="main", cluster="c")))

    return shown_


THREE = ["1, 1, 2, true", "1, 1, 3, true", "1, 1, 4, true"]


def test_no_lag_at_all_is_healthy(shown: Callable[..., Slony]) -> None:
    slony = shown(["1, 1, 2, true"], ["2, '0 s'"])

    assert slony.lags() == {"node 2 lag": timedelta(0)}
    assert not slony.lost_subscribers()


def test_one_unknown_lag_among_three_fails_and_the_others_are_measured(
    shown: Callable[..., Slony],
) -> None:
    slony = shown(THREE, ["2, '1 s'", "3, null", "4, '7 s'"])

    assert slony.lags() == {"node 4 lag": 7 * SECOND, "node 2 lag": SECOND}
    assert str(slony.lost_subscribers()) == (
        "node 3 follows node 1 at an unknown distance\nits st_lag_time in sl_status is NULL"
    )


def test_of_several_rows_the_worst_counts(shown: Callable[..., Slony]) -> None:
    slony = shown(["1, 1, 2, true"], ["2, '1 s'", "2, '1 day 3 s'"])

    assert slony.lags() == {"node 2 lag": timedelta(days=1, seconds=3)}


def test_a_node_without_any_active_subscription_fails(shown: Callable[..., Slony]) -> None:
    slony = shown(["1, 1, 2, false"], ["2, '1 s'"])

    assert slony.lags() == {}
    assert str(slony.lost_subscribers()).startswith("node 1 has no active subscription")


def test_a_subscriber_without_any_event_of_its_origin_fails(shown: Callable[..., Slony]) -> None:
    slony = shown(["1, 5, 1, true"])

    assert "no event of node 5 is here" in str(slony.lost_subscribers())


def test_an_event_of_the_future_is_a_wrong_clock_and_no_negative_lag(
    shown: Callable[..., Slony],
) -> None:
    slony = shown(["1, 5, 1, true"], event=["5, now() + interval '2 hours'"])

    assert slony.lags() == {}
    assert "the newest event of node 5 is 2 h in the future" in str(slony.lost_subscribers())


def test_a_database_that_is_no_node_yet_cannot_tell(stub: Place) -> None:
    stub.execute(
        'create or replace function "_c".getLocalNodeId(name) returns int language sql'
        " as 'select -1'"
    )

    with pytest.raises(CannotTell, match='has the schema "_c" and is no node of the cluster'):
        probe(stub.context(Settings(database="main", cluster="c"))).lags()

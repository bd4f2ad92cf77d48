"""PostgreSQL: who waits for whom, who idles, and what was left prepared."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from lockers import METHODS, UPDATE, Actor, actors, failure_of, locks_of, wait_for
from places import Place, server_place
from servers.postgres import PostgresServer

from pytest_yakei.errors import CannotTell, ResourceUnavailable

SETUP = [
    "create table orders (id int primary key, note text)",
    "insert into orders values (1, 'a'), (2, 'b')",
]
server = pytest.mark.server


@pytest.fixture
def place(postgres: PostgresServer) -> Iterator[Place]:
    """A database with a table of two rows."""
    with server_place(postgres, SETUP) as made:
        yield made


@pytest.fixture
def actor(postgres: PostgresServer, place: Place) -> Iterator[Callable[..., Actor]]:
    """Makes sessions of the application: `actor("web")`."""
    with actors(postgres, place) as make:
        yield make


@server
@pytest.mark.parametrize("method", METHODS)
def test_a_server_where_nobody_does_anything_is_well(place: Place, method: str) -> None:
    """Our own session, which asks just now, never counts."""
    assert getattr(locks_of(place), method)() == timedelta(0)


@server
def test_who_waits_too_long_is_told_with_who_is_in_the_way(
    place: Place, actor: Callable[..., Actor]
) -> None:
    holder, waiter = actor("batch"), actor("web")
    holder.begin(UPDATE)
    waiter.attempt(UPDATE)

    text = failure_of(place, "longest_wait", over=0.5)

    first, *lines = text.splitlines()
    assert re.fullmatch(r"it: [\d.]+ s \(limit: below 0\.5 s\)", first)
    assert lines[0] == f"Database  {place.database.where}"
    assert re.fullmatch(
        rf"Waits     pid {waiter.pid} \(user postgres, application web\) waits [\d.]+ s for a row "
        r"that another transaction has changed \(ShareLock\), since 20.* \+0000",
        lines[1],
    )
    assert lines[2] == "          query: update orders set note = ? where id = ?"
    assert re.fullmatch(
        rf"Behind    pid {holder.pid} \(user postgres, application batch\) "
        r"idle in transaction for [\d.]+ s",
        lines[3],
    )
    assert lines[-1].endswith(f"last of all:         select pg_terminate_backend({holder.pid})")


@server
def test_the_root_of_a_chain_is_told_and_not_the_next_in_line(
    place: Place, actor: Callable[..., Actor]
) -> None:
    holder, second, third = actor("batch"), actor("second"), actor("third")
    holder.begin(UPDATE)
    second.attempt(UPDATE)
    wait_for(lambda: locks_of(place).longest_wait(), "the second")
    third.attempt("begin; lock table orders")

    wait_for(lambda: _story(place).count("Waits") == 2, "the third")

    assert "for table orders (AccessExclusiveLock)" in _story(place)
    assert f"Behind    pid {holder.pid} " in _story(place)
    assert f"Behind    pid {second.pid} " not in _story(place)


def _story(place: Place) -> str:
    return failure_of(place, "longest_wait", over=0)


@server
def test_a_prepared_transaction_in_the_way_is_told_as_such(
    place: Place, actor: Callable[..., Actor], postgres: PostgresServer
) -> None:
    actor().begin(UPDATE, f"prepare transaction '{place.database.where}'")
    try:
        actor().attempt(UPDATE)
        text = failure_of(place, "longest_wait", over=0.1)
    finally:
        place.execute(f"rollback prepared '{place.database.where}'")

    assert "Behind    a prepared transaction, which has no session" in text


@server
def test_waiting_in_line_by_design_can_be_left_out(
    place: Place, actor: Callable[..., Actor]
) -> None:
    actor("leader").do("select pg_advisory_lock(7)")
    actor("standby").attempt("select pg_advisory_lock(7)")
    text = failure_of(place, "longest_wait", over=0.1)

    assert "for an advisory lock (ExclusiveLock)" in text
    assert locks_of(place, advisory_locks=False).longest_wait() == timedelta(0)


@server
def test_only_the_session_that_does_nothing_idles_in_its_transaction(
    place: Place, actor: Callable[..., Actor]
) -> None:
    idle, busy, out = actor("idle"), actor("busy"), actor("out")
    busy.attempt("begin; select pg_sleep(60)")
    out.do("select 1")
    idle.begin(UPDATE)

    text = failure_of(place, "longest_idle", over=0.5)

    assert f"Found     pid {idle.pid} (user postgres, application idle) idle in transaction" in text
    assert "query: update orders set note = ? where id = ?" in text
    assert str(busy.pid) not in text
    assert str(out.pid) not in text


@server
def test_idling_counts_from_the_last_statement_and_not_from_the_first(
    place: Place, actor: Callable[..., Actor]
) -> None:
    idle = actor()
    idle.begin("select 1")
    wait_for(lambda: locks_of(place).longest_idle() > timedelta(seconds=0.5), "idling")
    idle.do("select 2")

    idling = locks_of(place).longest_idle()

    assert locks_of(place).longest_transaction() - idling > timedelta(seconds=0.5)


@server
def test_a_transaction_that_failed_idles_too(place: Place, actor: Callable[..., Actor]) -> None:
    with pytest.raises(Exception, match="nosuch"):
        actor().begin("select nosuch")

    assert "idle in transaction (aborted)" in failure_of(place, "longest_idle", over=0.1)


@server
def test_a_long_transaction_is_told_busy_or_not(place: Place, actor: Callable[..., Actor]) -> None:
    busy = actor("report")
    busy.attempt("begin; select pg_sleep(60)")

    text = failure_of(place, "longest_transaction", over=0.3)

    assert f"pid {busy.pid} (user postgres, application report) active for " in text
    assert ", in a transaction for " in text


@server
def test_a_prepared_transaction_is_told_with_its_name(
    place: Place, actor: Callable[..., Actor]
) -> None:
    actor().begin(UPDATE, "prepare transaction 'order-1'")
    try:
        text = failure_of(place, "oldest_prepared", over=0.2)
    finally:
        place.execute("rollback prepared 'order-1'")

    assert "Found     transaction 'order-1' of user postgres, prepared, since 20" in text
    assert "commit prepared 'NAME'  or  rollback prepared 'NAME'" in text


@server
def test_sessions_of_another_database_are_not_judged(
    place: Place, postgres: PostgresServer
) -> None:
    with server_place(postgres, SETUP) as other, actors(postgres, other) as actor:
        actor().begin(UPDATE)
        wait_for(lambda: locks_of(other).longest_idle(), "idling")

        assert locks_of(place).longest_idle() == timedelta(0)


@server
def test_locks_are_counted(place: Place, actor: Callable[..., Actor]) -> None:
    before = locks_of(place).count()
    actor().begin("lock table orders")

    assert locks_of(place).count() > before


@server
@pytest.mark.parametrize("method", ["longest_wait", "longest_idle", "longest_transaction"])
def test_without_the_right_to_see_others_nothing_is_taken_for_well(
    postgres: PostgresServer, method: str
) -> None:
    user = postgres.create_user("mon")
    with server_place(postgres, SETUP, user=user) as place:
        with pytest.raises(ResourceUnavailable) as failure:
            getattr(locks_of(place), method)()

        assert failure.value.resource == "sessions of database main"
        assert f'needs pg_monitor: grant pg_monitor to "{user}"' in failure.value.reason


@server
def test_pg_monitor_is_enough(postgres: PostgresServer) -> None:
    user = postgres.create_user("mon")
    postgres.execute(f'grant pg_monitor to "{user}"')
    with server_place(postgres, SETUP, user=user) as place, actors(postgres, place) as actor:
        actor("idle").begin(UPDATE)

        assert "application idle" in failure_of(place, "longest_idle", over=0.1)
        assert [getattr(locks_of(place), method)() for method in METHODS]


@server
def test_a_session_that_hides_its_state_is_not_taken_for_well(
    place: Place, actor: Callable[..., Actor]
) -> None:
    mute = actor()
    mute.do("set track_activities = off")

    with pytest.raises(CannotTell, match=f"^track_activities is off for pid {mute.pid}$"):
        locks_of(place).longest_idle()

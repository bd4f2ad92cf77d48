"""MariaDB: who waits for a row, a definition or the right to write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from lockers import METHODS, UPDATE, Actor, actors, failure_of, locks_of, wait_for
from places import Place, server_place
from servers.mariadb import MariaDBServer

from pytest_yakei.errors import ResourceUnavailable

SETUP = [
    "create table orders (id int primary key, note varchar(20))",
    "insert into orders values (1, 'a'), (2, 'b')",
]
server = pytest.mark.server


@pytest.fixture
def place(mariadb: MariaDBServer) -> Iterator[Place]:
    """A database with a table of two rows."""
    with server_place(mariadb, SETUP) as made:
        yield made


@pytest.fixture
def actor(mariadb: MariaDBServer, place: Place) -> Iterator[Callable[..., Actor]]:
    """Makes sessions of the application."""
    with actors(mariadb, place) as make:
        yield make


@server
@pytest.mark.parametrize("method", METHODS)
def test_a_server_where_nobody_does_anything_is_well(place: Place, method: str) -> None:
    assert getattr(locks_of(place), method)() == timedelta(0)


@server
def test_who_waits_for_a_row_is_told_with_who_has_changed_it(
    place: Place, actor: Callable[..., Actor]
) -> None:
    holder, waiter = actor(), actor()
    holder.begin(UPDATE)
    waiter.attempt(UPDATE)

    lines = failure_of(place, "longest_wait", over=0.5).splitlines()

    assert lines[2].startswith(f"Waits     pid {waiter.pid} (user root from 127.0.0.1) waits ")
    assert ".`orders` (X), since 20" in lines[2]
    assert lines[3] == "          query: update orders set note = ? where id = ?"
    assert lines[4].startswith(
        f"Behind    pid {holder.pid} (user root from 127.0.0.1) idle in transaction for"
    )
    assert lines[-1] == f"          4. last of all:         kill {holder.pid}"


@server
def test_the_root_of_a_chain_is_told(place: Place, actor: Callable[..., Actor]) -> None:
    holder, second, third = actor(), actor(), actor()
    holder.begin("update orders set note = 'x' where id = 1")
    second.begin("update orders set note = 'y' where id = 2")
    second.attempt("update orders set note = 'y' where id = 1")
    third.attempt("update orders set note = 'z' where id = 2")
    wait_for(lambda: _story(place).count("Waits") == 2, "the third")

    assert f"Behind    pid {holder.pid} " in _story(place)
    assert f"Behind    pid {second.pid} " not in _story(place)


def _story(place: Place) -> str:
    return failure_of(place, "longest_wait", over=0)


@server
def test_waiting_in_line_by_design_can_be_left_out(
    place: Place, actor: Callable[..., Actor]
) -> None:
    actor().do("select get_lock('leader', 1)")
    actor().attempt("select get_lock('leader', 60)")
    text = failure_of(place, "longest_wait", over=0.5)

    assert "User lock for " in text
    assert locks_of(place, advisory_locks=False).longest_wait() == timedelta(0)


@server
def test_who_waits_for_a_definition_is_told_with_the_transaction_that_uses_it(
    place: Place, actor: Callable[..., Actor]
) -> None:
    reader, changer = actor(), actor()
    reader.begin("select * from orders")
    changer.attempt("alter table orders add extra int")

    text = failure_of(place, "longest_metadata_wait", over=0.5)

    assert f"pid {changer.pid} (user root from 127.0.0.1) Waiting for table metadata lock" in text
    assert f"Behind    pid {reader.pid} (user root from 127.0.0.1) idle in transaction" in text
    assert "query: alter table orders add extra int" in text
    assert locks_of(place).longest_wait() == timedelta(0)


@server
def test_nobody_is_blamed_for_a_definition_when_the_holder_is_not_visible(
    place: Place, actor: Callable[..., Actor]
) -> None:
    holder = actor()
    holder.do("lock tables orders write")
    actor().attempt("select * from orders")

    text = failure_of(place, "longest_metadata_wait", over=0.5)

    assert "Do        show full processlist" in text
    assert "kill" not in text


@server
def test_only_the_session_that_does_nothing_idles_in_its_transaction(
    place: Place, actor: Callable[..., Actor]
) -> None:
    idle, busy, out = actor(), actor(), actor()
    out.do("select 1")
    busy.begin("select * from orders")
    busy.attempt("select sleep(60)")
    idle.begin(UPDATE)

    text = failure_of(place, "longest_idle", over=0.5)

    assert f"Found     pid {idle.pid} (user root from 127.0.0.1) idle in transaction for " in text
    assert not [pid for pid in (busy.pid, out.pid) if f"pid {pid} " in text]


@server
def test_a_long_transaction_is_told_whatever_the_zone_of_the_server(
    new_mariadb: Callable[..., MariaDBServer],
) -> None:
    """InnoDB tells times in the operating system's zone, and not in the session's."""
    own = new_mariadb("--default-time-zone=+09:00")
    with server_place(own, SETUP) as place, actors(own, place) as actor:
        actor().begin(UPDATE)
        wait_for(lambda: locks_of(place).longest_transaction(), "a second")

        assert locks_of(place).longest_transaction() < timedelta(minutes=1)


@server
def test_a_prepared_transaction_that_lost_its_session_is_told(
    place: Place, actor: Callable[..., Actor]
) -> None:
    coordinator = actor()
    coordinator.do("xa start 'x1'", UPDATE, "xa end 'x1'", "xa prepare 'x1'")
    coordinator.end()
    try:
        text = failure_of(place, "oldest_prepared", over=0.5)
    finally:
        place.execute("xa rollback 'x1'")

    assert ", without a session, since 20" in text
    assert "Do        xa recover,  and as the transaction manager has decided" in text


@server
def test_a_global_read_lock_is_noticed_by_the_writes_that_wait(
    place: Place, actor: Callable[..., Actor]
) -> None:
    holder, writer = actor(), actor()
    holder.do("flush tables with read lock")
    writer.attempt(UPDATE)

    text = failure_of(place, "longest_write_stop", over=0.5)

    assert f"pid {writer.pid} (user root from 127.0.0.1) Waiting for backup lock for " in text
    assert "install soname 'metadata_lock_info'" in text


@server
def test_the_holder_of_a_global_read_lock_is_told_where_the_server_shows_it(
    new_mariadb: Callable[..., MariaDBServer],
) -> None:
    """Also while nobody writes."""
    own = new_mariadb("--plugin-load-add=metadata_lock_info")
    with server_place(own, SETUP) as place, actors(own, place) as actor:
        holder, writer = actor(), actor()
        holder.do("flush tables with read lock")
        alone = failure_of(place, "longest_write_stop", over=0.1)
        writer.attempt(UPDATE)
        wait_for(lambda: "Waits" in failure_of(place, "longest_write_stop", over=0.1), "write")
        both = failure_of(place, "longest_write_stop", over=0.1)

    assert f"pid {holder.pid} (user root from 127.0.0.1) holds the global read lock" in alone
    assert f"last of all:         kill {holder.pid}" in alone
    assert f"Waits     pid {writer.pid} " in both
    assert f"Behind    pid {holder.pid} " in both


@server
def test_row_locks_are_counted(place: Place, actor: Callable[..., Actor]) -> None:
    actor().begin(UPDATE)

    wait_for(lambda: locks_of(place).count(), "a locked row")


@server
@pytest.mark.parametrize("method", [*METHODS, "count"])
def test_without_the_right_to_see_others_nothing_is_taken_for_well(
    mariadb: MariaDBServer, method: str
) -> None:
    user = mariadb.create_user("mon")
    mariadb.execute(f"grant select on *.* to `{user}`@`%`")
    with server_place(mariadb, SETUP[:1], user=user) as place:
        with pytest.raises(ResourceUnavailable) as failure:
            getattr(locks_of(place), method)()

        assert failure.value.resource == "sessions of database main"
        assert "needs PROCESS: grant process on *.* to mon_" in failure.value.reason


@server
def test_the_process_right_is_enough(mariadb: MariaDBServer) -> None:
    user = mariadb.create_user("mon")
    mariadb.execute(f"grant process, select on *.* to `{user}`@`%`")
    with server_place(mariadb, SETUP, user=user) as place, actors(mariadb, place) as actor:
        holder = actor()
        holder.begin(UPDATE)
        actor().attempt(UPDATE)

        assert f"Behind    pid {holder.pid} " in failure_of(place, "longest_wait", over=0.5)

"""No database can make a check hang: silent listeners, frozen servers, interrupted waiting."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta

import pytest
from servers.mariadb import MariaDBServer
from servers.postgres import PostgresServer

from pytest_yakei.databases import Database, Timeouts, connect
from pytest_yakei.errors import ResourceUnavailable

pytestmark = [pytest.mark.slow, pytest.mark.timeout(30)]

BRIEF = Timeouts(
    connect=timedelta(seconds=1), statement=timedelta(seconds=0.5), grace=timedelta(seconds=0.5)
)
URLS = ["postgresql://u:s3cret@127.0.0.1:{port}/app", "mysql://u:s3cret@127.0.0.1:{port}/app"]
Server = PostgresServer | MariaDBServer


@pytest.fixture(
    params=[
        pytest.param("new_postgres", marks=pytest.mark.server),
        pytest.param("new_mariadb", marks=pytest.mark.server),
    ]
)
def server(request: pytest.FixtureRequest) -> Server:
    """A server that a test may freeze."""
    start: Callable[[], Server] = request.getfixturevalue(request.param)
    return start()


@contextmanager
def frozen(server: Server) -> Iterator[None]:
    """Keep a server from doing anything."""
    server.freeze()
    try:
        yield
    finally:
        server.thaw()


@contextmanager
def taking_at_most(seconds: float) -> Iterator[None]:
    """Fail when the block takes longer."""
    start = time.monotonic()
    yield
    taken = time.monotonic() - start
    assert taken < seconds, f"took {taken:.1f} s"


def connected(server: Server, timeouts: Timeouts = BRIEF) -> closing[Database]:
    return closing(connect("main", server.url(), timeouts=timeouts))


@pytest.mark.parametrize("url", URLS)
def test_a_port_that_accepts_and_says_nothing_is_given_up(url: str, silent_port: int) -> None:
    with taking_at_most(2), pytest.raises(ResourceUnavailable) as failure:
        connect("main", url.format(port=silent_port), timeouts=BRIEF)

    assert str(failure.value) == f"database main: timed out after 1 s at 127.0.0.1:{silent_port}"


def test_a_frozen_server_is_not_waited_for_when_connecting(server: Server) -> None:
    with frozen(server), taking_at_most(2), pytest.raises(ResourceUnavailable) as failure:
        connect("main", server.url(), timeouts=BRIEF)

    assert failure.value.reason == f"timed out after 1 s at 127.0.0.1:{server.port}"


def test_a_server_that_freezes_later_is_not_waited_for(server: Server) -> None:
    """No Python signal ends libpq's waiting; cutting the connection does."""
    with connected(server) as database:
        with frozen(server), taking_at_most(2), pytest.raises(ResourceUnavailable) as failure:
            database.scalar("select 1")

        assert failure.value.reason == f"no answer within 1 s from 127.0.0.1:{server.port}"


def test_the_thread_that_waited_for_a_frozen_server_ends(server: Server) -> None:
    with connected(server) as database, frozen(server):
        with pytest.raises(ResourceUnavailable):
            database.scalar("select 1")
        waiting = [thread for thread in threading.enumerate() if thread.name == "yakei-database"]
        for thread in waiting:
            thread.join(timeout=5)

        assert not any(thread.is_alive() for thread in waiting)


def test_a_server_that_thaws_is_asked_again(server: Server) -> None:
    with connected(server) as database:
        with frozen(server), pytest.raises(ResourceUnavailable):
            database.scalar("select 1")

        assert database.scalar("select 2") == 2


def test_a_server_that_was_restarted_is_asked_again(server: Server) -> None:
    with connected(server) as database:
        server.restart()
        with pytest.raises(ResourceUnavailable) as failure:
            database.scalar("select 1")

        assert failure.value.reason == f"connection lost at 127.0.0.1:{server.port}"
        assert database.scalar("select 2") == 2


def test_a_server_that_has_gone_refuses(server: Server) -> None:
    with connected(server) as database:
        server.stop()
        with pytest.raises(ResourceUnavailable):
            database.scalar("select 1")
        with pytest.raises(ResourceUnavailable) as failure:
            database.scalar("select 1")

    assert failure.value.reason == f"connection refused at 127.0.0.1:{server.port}"


def test_waiting_for_a_frozen_server_can_be_interrupted(server: Server) -> None:
    """As pytest-timeout does it: an exception out of a signal handler ends the waiting."""

    class Interrupted(Exception):  # noqa: N818 - stands for any exception of a handler
        pass

    def interrupt(*_: object) -> None:
        raise Interrupted

    patient = Timeouts(statement=timedelta(seconds=60))
    previous = signal.signal(signal.SIGUSR1, interrupt)
    with connected(server, patient) as database, frozen(server), taking_at_most(5):
        threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGUSR1]).start()
        with pytest.raises(Interrupted):
            database.scalar("select 1")
    signal.signal(signal.SIGUSR1, previous)

    with connected(server) as again:
        assert again.scalar("select 1") == 1

"""Places for connections that processes share: none is lost, whoever waits gets one."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from servers.processes import wait_until

from pytest_yakei.databases.allotment import Allotment


@pytest.fixture
def allotment() -> Iterator[Allotment]:
    """Two places for `main`, one for `side`."""
    allotment = Allotment({"main": 2, "side": 1})
    yield allotment
    allotment.close()


@contextmanager
def forked(act: Callable[[], object]) -> Iterator[int]:
    """Yield the pid of a process that has done something, and stays until it is killed."""
    ready, tell = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            act()
            os.write(tell, b"done")
            signal.pause()
        finally:
            os._exit(1)
    os.read(ready, 4)
    yield pid
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(ready)
    os.close(tell)


def test_what_has_no_limit_is_always_given(allotment: Allotment) -> None:
    assert allotment.take("other")
    assert allotment.limit("other") is None
    assert not allotment.is_awaited("other")


def test_no_more_places_are_given_than_there_are(allotment: Allotment) -> None:
    with forked(lambda: allotment.take("main")), forked(lambda: allotment.take("main")):
        assert not allotment.take("main")
        assert allotment.take("side")


def test_a_process_that_is_killed_gives_its_place_back(allotment: Allotment) -> None:
    with forked(lambda: allotment.take("side")):
        assert not allotment.take("side")

    assert allotment.take("side")


def test_a_child_of_the_holder_holds_nothing(allotment: Allotment) -> None:
    assert allotment.take("side")
    with forked(lambda: None):
        allotment.give_back("side")
        with forked(lambda: allotment.take("side")):
            assert not allotment.take("side")


def test_waiting_ends_when_a_place_is_given_back(allotment: Allotment) -> None:
    until = time.monotonic() + 20
    assert allotment.take("side")
    pid = os.fork()
    if not pid:
        os._exit(0 if allotment.wait("side", until) else 1)
    wait_until(lambda: allotment.is_awaited("side"), "the other process waits")
    allotment.give_back("side")

    assert os.waitpid(pid, 0)[1] == 0
    assert not allotment.is_awaited("side")


def test_waiting_ends_in_time(allotment: Allotment) -> None:
    with forked(lambda: allotment.take("side")):
        begun = time.monotonic()

        assert not allotment.wait("side", begun + 0.1)
        assert time.monotonic() < begun + 1


def test_who_comes_later_lets_the_others_go_first(allotment: Allotment) -> None:
    """A place may be free for a moment while somebody waits for it."""
    with forked(lambda: allotment.take("side")):
        waiter = os.fork()
        if not waiter:
            allotment.wait("side", time.monotonic() + 20)
            os._exit(0)
        wait_until(lambda: allotment.is_awaited("side"), "the other process waits")

        assert not allotment.take("side")
    assert os.waitpid(waiter, 0)[1] == 0

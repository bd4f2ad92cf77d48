"""Which check has its turn next: in order, unless what it needs is in use."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any, cast

from pytest_yakei.engine.offers import NONE
from pytest_yakei.engine.resources import Needs
from pytest_yakei.engine.waiting import Waiting

MAIN, SIDE = frozenset({"database main"}), frozenset({"database side"})


def waiting(needs: dict[int, frozenset[str]], count: int, **limits: int) -> Waiting:
    """Return so many waiting checks of a session of four slots; limits are of databases."""
    session: Any = SimpleNamespace(items=[None] * count, shouldfail=False, shouldstop=False)
    named = {f"database {name}": limit for name, limit in limits.items()}
    return Waiting(session, Needs(needs, named), 4)


def slot(index: int | None) -> Any:
    """Return a slot whose worker runs this check."""
    turn = None if index is None else SimpleNamespace(index=index)
    return SimpleNamespace(turn=turn, offered=[])


def test_checks_have_their_turn_in_order() -> None:
    checks = waiting({}, 3)

    assert [checks.next() for _ in range(4)] == [(0, 1), (1, 2), (2, NONE), (NONE, NONE)]


def test_a_second_slot_does_not_begin_with_what_another_has_just_begun() -> None:
    checks = waiting({0: MAIN, 1: MAIN}, 3)

    assert [checks.next().check for _ in range(3)] == [0, 2, NONE]
    assert checks


def test_it_begins_a_moment_later() -> None:
    checks = waiting({0: MAIN, 1: MAIN}, 2)
    checks.next()
    until = time.monotonic() + 5
    while (index := checks.next().check) == NONE and time.monotonic() < until:
        pass

    assert index == 1


def test_a_slot_that_runs_goes_on_at_once() -> None:
    checks = waiting({0: MAIN, 1: MAIN}, 2)
    first, _ = checks.next()

    assert checks.next(slot(first)).check == 1


def test_who_needs_what_is_in_use_waits_and_others_go_first() -> None:
    checks = waiting({0: MAIN, 1: MAIN}, 3, main=1)
    user = slot(checks.next().check)
    checks.slots = [user]

    assert checks.next(slot(None)).check == 2
    assert not checks
    assert checks.next(user).check == 1


def test_a_worker_stays_with_its_database_for_a_little_while() -> None:
    needs = dict.fromkeys(range(0, 200, 2), MAIN) | {1: SIDE}
    near = waiting(needs, 200, main=1)
    user = slot(near.next().check)

    taken = [near.next(user).check for _ in range(40)]
    assert taken[:3] == [2, 4, 6]
    assert taken.index(1) > 20


def test_what_was_put_back_comes_next() -> None:
    checks = waiting({}, 3)
    index, _ = checks.next()
    checks.put_back(index)

    assert checks.next().check == index


def test_a_session_that_ends_has_no_next_check() -> None:
    checks = waiting({}, 3)
    cast("Any", checks)._session.shouldstop = "enough"

    assert not checks
    assert checks.next() == (NONE, NONE)

"""A queue has stalled when rows wait and nothing shows that one was removed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from pytest_yakei.errors import CannotTell
from pytest_yakei.probes.queues.progress import Reading, mark_of, stalled_for

START = datetime(2026, 1, 31, 3, tzinfo=UTC)
STEP = timedelta(minutes=5)


def stalls(
    readings: list[tuple[Any, float]], *, restarts: bool = False, source: str = "id"
) -> list[int]:
    """Return the minutes of stall after each reading (mark and depth), five minutes apart."""
    memory: dict[str, Any] = {}
    found = []
    for number, (mark, depth) in enumerate(readings):
        reading = Reading(source=source, mark=mark, depth=depth, restarts=restarts)
        stalled = stalled_for(memory, reading, START + number * STEP)
        found.append(stalled // timedelta(minutes=1))
    return found


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        pytest.param([(7, 3)], [0], id="the first sight proves nothing"),
        pytest.param([(7, 3), (7, 3), (7, 5)], [0, 5, 10], id="the same first row"),
        pytest.param([(7, 3), (7, 3), (8, 5)], [0, 5, 0], id="slow, but moving"),
        pytest.param([(7, 3), (7, 2)], [0, 0], id="fewer rows behind a stuck one"),
        pytest.param([(0, 0), (0, 0), (0, 0)], [0, 0, 0], id="a quiet queue"),
        pytest.param([(7, 1), (0, 0), (7, 1)], [0, 0, 0], id="empty in between"),
        pytest.param([(8, 9), (7, 9), (8, 9)], [0, 5, 10], id="a dying consumer gives rows back"),
        pytest.param([(900, 9), (1, 2)], [0, 0], id="emptied and begun anew"),
        pytest.param(
            [("b", 9), ("b", 9), ("a", 9)], [0, 5, 0], id="texts: another one is progress"
        ),
        pytest.param([("7", 9), (7, 9), (7, 9)], [0, 0, 5], id="the column has another type now"),
    ],
)
def test_the_first_row_that_waits(readings: list[tuple[Any, float]], expected: list[int]) -> None:
    assert stalls(readings) == expected


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        pytest.param([(500, 9), (500, 9), (501, 9)], [0, 5, 0], id="it grows"),
        pytest.param([(500, 9), (0, 9), (0, 9)], [0, 0, 5], id="a restart is a new beginning"),
    ],
)
def test_a_counter_of_removed_rows(readings: list[tuple[Any, float]], expected: list[int]) -> None:
    assert stalls(readings, restarts=True) == expected


def test_a_mark_of_another_column_is_not_compared() -> None:
    memory: dict[str, Any] = {}
    stalled_for(memory, Reading(source="at", mark=9e9, depth=5, restarts=False), START)
    other = Reading(source="id", mark=7, depth=5, restarts=False)

    assert stalled_for(memory, other, START + STEP) == timedelta(0)


def test_a_clock_that_was_set_back_makes_no_negative_stall() -> None:
    memory: dict[str, Any] = {}
    reading = Reading(source="id", mark=7, depth=5, restarts=False)
    stalled_for(memory, reading, START)

    assert stalled_for(memory, reading, START - STEP) == timedelta(0)


@pytest.mark.parametrize(
    ("value", "mark"),
    [(7, 7), (Decimal("7.5"), 7.5), (START, START.timestamp()), (b"\x07", "07"), ("g", "g")],
)
def test_a_mark_is_kept_in_what_json_can_hold(value: Any, mark: Any) -> None:
    assert mark_of(value, "id") == mark


@pytest.mark.parametrize("value", [True, timedelta(1), [1]])
def test_what_has_no_order_is_refused(value: Any) -> None:
    with pytest.raises(CannotTell, match=r"^done is "):
        mark_of(value, "done")

"""Tells a queue that stands still from one that is quiet, slow, or was emptied meanwhile."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from pytest_yakei.errors import CannotTell
from pytest_yakei.probes.queues.moments import seconds_of

Mark = float | str


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What one run saw of a queue's progress."""

    source: str
    """The column or statement the mark comes from; a mark of another one cannot be compared."""
    mark: Mark
    """What grows as rows are removed: the smallest id or time that waits, or a counter."""
    depth: float
    restarts: bool
    """Whether the mark is a counter that begins at 0 when its server starts."""


def mark_of(value: Any, column: str) -> Mark:
    """Return a value as it can be kept in JSON and compared with the next run's.

    Raises:
        CannotTell: the value is of a type that has no order.
    """
    if isinstance(value, bool):
        raise CannotTell(f"{column} is true or false, which does not grow from row to row")
    if isinstance(value, int | float):
        return value
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date | datetime):
        return seconds_of(value, ZoneInfo("UTC"), column)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, str | UUID):
        return str(value)
    raise CannotTell(f"{column} is of type {type(value).__name__}, which has no order")


def stalled_for(memory: MutableMapping[str, Any], reading: Reading, now: datetime) -> timedelta:
    """Return for how long rows have waited without a sign of a removal; zero at the first sight.

    Args:
        memory: what earlier runs have kept; it is brought up to date.
        reading: what this run has seen.
        now: the time of this run.
    """
    moment, last = now.timestamp(), dict(memory)
    if reading.depth <= 0:
        memory.clear()
        return timedelta(0)
    if last.get("source") != reading.source or _has_moved(last, reading):
        memory.update(source=reading.source, mark=reading.mark, depth=reading.depth, since=moment)
        return timedelta(0)
    return timedelta(seconds=max(0.0, moment - float(last["since"])))


def _has_moved(last: dict[str, Any], reading: Reading) -> bool:
    """Return whether anything was removed since the mark was kept, as far as can be seen.

    A mark that falls is no progress: a consumer that died has given its row back, or a row was
    committed late. Only a counter that falls was restarted, and is a new beginning.
    """
    mark, before = reading.mark, last["mark"]
    if reading.depth < last["depth"] or isinstance(mark, str) is not isinstance(before, str):
        return True
    if isinstance(mark, str) or isinstance(before, str):
        return bool(mark != before)  # a collation's order is not known here
    return bool(mark > before or (reading.restarts and mark < before))

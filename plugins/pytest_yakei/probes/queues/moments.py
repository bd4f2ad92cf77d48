"""Reads when a row was put in, whatever type its column has, by the database server's clock."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from pytest_yakei.databases.database import Kind
from pytest_yakei.errors import CannotTell

CLOCKS: dict[Kind, str] = {
    "postgresql": "extract(epoch from now()),"
    " extract(epoch from localtimestamp) - extract(epoch from now())",
    "mysql": "unix_timestamp(now(6)), timestampdiff(second, utc_timestamp(), now())",
    "sqlite": "(julianday('now') - 2440587.5) * 86400, 0",
}
"""Two columns: the server's seconds since 1970, and how far its zone is ahead of UTC.

SQLite has no zone: its own functions write UTC (https://www.sqlite.org/lang_datefunc.html).
"""
_SECONDS_END = 1e11
"""Seconds since 1970 reach this in the year 5138; a greater number counts ms, µs or ns."""
_EPOCH_TEXT = re.compile(r"\d{9,}(?:\.\d+)?")
"""A shorter number may be a day, `20270131`."""


def zone_of(name: str | None, offset: Any) -> tzinfo:
    """Return the zone of times without one: the configured one, or the server's just now."""
    return ZoneInfo(name) if name else timezone(timedelta(seconds=float(offset)))


def seconds_of(value: Any, zone: tzinfo, column: str) -> float:
    """Return the seconds since 1970 of a value of an age column.

    A date is its midnight. A time without a zone is one of `zone`; with the server's own, which is
    an offset, it can be an hour off just after the clocks have changed.

    Raises:
        CannotTell: the value is no time; the text does not show it.
    """
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    if isinstance(value, str):
        value = _parsed(value.strip(), column)
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=zone)).timestamp()
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=zone).timestamp()
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return _scaled(float(value))
    raise _no_time(type(value).__name__, column)


def in_utc(seconds: float) -> str:
    """Return a moment for people, `2027-01-31 03:05:00 +0000`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S %z")


def _parsed(text: str, column: str) -> datetime | float:
    if _EPOCH_TEXT.fullmatch(text):
        return float(text)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise _no_time("text", column) from None


def _scaled(number: float) -> float:
    while number > _SECONDS_END:
        number /= 1000
    return number


def _no_time(kind: str, column: str) -> CannotTell:
    expected = "expected a time, a date, ISO 8601 text, or seconds since 1970"
    return CannotTell(f"age_column {column} holds no time but {kind}\n{expected}")

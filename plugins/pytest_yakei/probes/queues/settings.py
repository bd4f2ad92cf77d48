"""What `[queues.NAME]` may say about a queue, and which of it makes sense together."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from yakei_shared.limits import Limit

_TABLE = re.compile(r"[^.]+(?:\.[^.]+)?")
_HARMFUL = re.compile(
    r"\bqueue_(?:wait|end|abort)\b|\bfor\s+(?:no\s+key\s+)?update\b|\bfor\s+(?:key\s+)?share\b"
    r"|\block\s+in\s+share\s+mode\b",
    re.IGNORECASE,
)
"""What takes rows, or locks them, also in a transaction that the server keeps read-only."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One queue: a table whose rows wait, or a statement that counts what waits."""

    database: str
    """A name of `[databases]`."""
    table: str | None = None
    """`NAME` or `SCHEMA.NAME`, taken literally: upper and lower case count."""
    sql: str | None = None
    """Instead of a table: a statement that gives one number."""
    where: str | None = None
    """With a table: the SQL condition of the rows that still wait, `taken_at is null`."""
    max_depth: Limit[int] | None = None
    """Rows that wait have to be fewer."""
    max_age: Limit[timedelta] | None = None
    """The oldest of them has to be younger, by `age_column`."""
    age_column: str | None = None
    """When a row was put in: a time, a date, ISO text, or seconds (ms, µs) since 1970."""
    age_zone: str | None = None
    """The zone of times that have none, such as `UTC`, where it is not the server's own."""
    clock_skew: timedelta = timedelta(minutes=5)
    """How far in the future the oldest row may be dated."""
    max_stall: Limit[timedelta] | None = None
    """How long nothing may be removed while rows wait; more than the longest job takes."""
    progress_column: str | None = None
    """What grows from row to row, such as `id`. Without it `age_column` has to do, where rows that
    were put in together look like one."""
    progress_sql: str | None = None
    """Instead: a statement that gives how many rows were ever removed."""

    def __post_init__(self) -> None:
        """Refuse what does not fit together, and what could never be kept."""
        self._check_source()
        self._check_columns()
        limits = {name: getattr(self, name) for name in ("max_depth", "max_age", "max_stall")}
        if not any(limits.values()):
            raise ValueError("max_depth: missing; expected max_depth, max_age or max_stall")
        for key, limit in limits.items():
            check_limit(key, limit)

    def _check_source(self) -> None:
        if bool(self.table) == bool(self.sql):
            raise ValueError("table: expected a table or sql, one of the two")
        if self.table and not _TABLE.fullmatch(self.table):
            raise ValueError(f'table: expected NAME or SCHEMA.NAME, got "{self.table}"')
        for key in ("sql", "where", "progress_sql"):
            if found := _HARMFUL.search(getattr(self, key) or ""):
                raise ValueError(f'{key}: "{found[0]}" takes or locks rows; a check only looks')
        for key in ("where", "age_column", "progress_column"):
            if self.sql and getattr(self, key):
                raise ValueError(f"{key}: needs a table; the sql has to say it all")

    def _check_columns(self) -> None:
        if self.max_age and not self.age_column:
            raise ValueError("age_column: missing; max_age needs to know when a row was put in")
        if self.progress_column and self.progress_sql:
            raise ValueError("progress_sql: expected it or progress_column, not both")
        if self.max_stall and not (self.progress_column or self.progress_sql or self.age_column):
            known = "progress_column, progress_sql or age_column"
            raise ValueError(f"max_stall: needs {known} to see that rows are removed")
        if self.age_zone:
            _check_zone(self.age_zone)


def check_limit(key: str, limit: Limit[Any] | None) -> None:
    """Raise ValueError for a limit that nothing can be below, or a warning that comes too late."""
    if limit is None:
        return
    if not limit.critical > type(limit.critical)():
        raise ValueError(f"{key}: expected more than zero, nothing can be below it")
    if limit.warning is not None and limit.warning >= limit.critical:
        raise ValueError(f"{key}: the warning has to come before the critical limit")


def _check_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        example = '"UTC" or "Asia/Tokyo"'
        raise ValueError(f'age_zone: expected a zone such as {example}, got "{name}"') from None

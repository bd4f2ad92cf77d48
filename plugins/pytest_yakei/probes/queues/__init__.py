"""Asks how long a queue is, how old its oldest row is, and whether rows leave it.

It only ever reads: a row is never taken, locked or changed.
"""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from pytest_yakei.context import Context
from pytest_yakei.databases import Cause, Database, QueryFailed
from pytest_yakei.errors import CannotTell, ResourceUnavailable
from pytest_yakei.explaining import explaining
from pytest_yakei.probes.queues.moments import CLOCKS, in_utc, seconds_of, zone_of
from pytest_yakei.probes.queues.progress import Reading, mark_of, stalled_for
from pytest_yakei.probes.queues.settings import Settings
from pytest_yakei.probes.queues.texts import clock_text, missing_text, steps
from yakei_shared.limits import Limit

__all__ = ["AtLeast", "Queue", "Settings", "probe"]

_COUNTED = 100_000
"""Rows that are counted at least: 15 ms on PostgreSQL, 80 ms on MariaDB, of a million rows, where
`count(*)` of all takes 100 ms and 500 ms, and of fifty million the whole statement timeout."""
_COUNTED_TIMES_LIMIT = 10


class AtLeast(int):
    """A count that was stopped: the number is true, and there may be more."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return the number and what it means."""
        return f"at least {int(self)}"


def probe(context: Context[Settings]) -> Queue:
    """Return the queue of one `[queues.NAME]`; nothing is asked before it is."""
    return Queue(context)


class Queue:
    """One queue of the application, as a table or as a statement that counts."""

    def __init__(self, context: Context[Settings]) -> None:
        self._context = context
        self.settings = context.settings

    @property
    def max_depth(self) -> Limit[int] | None:
        """The limit of `depth`."""
        return self.settings.max_depth

    @property
    def max_age(self) -> Limit[timedelta] | None:
        """The limit of `oldest_row`."""
        return self.settings.max_age

    @property
    def max_stall(self) -> Limit[timedelta] | None:
        """The limit of `stalled`."""
        return self.settings.max_stall

    def depth(self) -> Any:
        """Return how many rows wait; what the driver gave, where a statement of one's own counts.

        A table's rows are counted up to ten times the limit, and at least to 100000.

        Raises:
            CannotTell: the statement does not give exactly one value, or gives a negative one.
            ResourceUnavailable: the database is down; the table is missing, or may not be read.
        """
        if self.settings.sql:
            return _not_negative(self._database.scalar(self.settings.sql))
        return self._counted(self._row(f"select {self._count}")[0])

    def oldest_row(self) -> timedelta | None:
        """Return for how long the oldest row has waited, by the database server's clock.

        Zero when no row waits, None without an `age_column`.

        Raises:
            CannotTell: the row is dated in the future, or has no time at all.
        """
        column = self.settings.age_column
        if column is None:
            return None
        rows = f"exists (select 1 {self._from})"
        clock = CLOCKS[self._database.kind]
        oldest, waiting, now, offset = self._row(f"select {self._least(column)}, {rows}, {clock}")
        if oldest is None:
            return self._no_oldest(column, waiting=bool(waiting))
        written = seconds_of(oldest, zone_of(self.settings.age_zone, offset), column)
        age = timedelta(seconds=float(now) - written)
        if age < -self.settings.clock_skew:
            name = f"{self.settings.table}.{column}"
            where = self._database.where
            raise CannotTell(clock_text(name, where, written=written, now=float(now)))
        return max(age, timedelta(0))

    def stalled(self) -> timedelta | None:
        """Return for how long rows have waited without a sign that one of them was removed.

        A sign is that the oldest is another one, that there are fewer, or that the counter grew.
        The first run only takes note. None if the entry has no rule about it.

        Raises:
            CannotTell: what should grow has no value.
        """
        reading = self._reading()
        if reading is None:
            return None
        stalled = stalled_for(self._context.memory, reading, self._context.now)
        if stalled:
            since = in_utc(self._context.now.timestamp() - stalled.total_seconds())
            self._context.note(f"{reading.depth:.0f} rows wait, no sign of a removal since {since}")
        return stalled

    def explained(self) -> AbstractContextManager[None]:
        """Add to a failed claim where the queue is, and what to do."""
        name = self.settings.table or f"asked by {self.settings.sql}"
        return explaining(lambda: steps(name, self._database.where, self._database.kind))

    @property
    def _database(self) -> Database:
        return self._context.database(self.settings.database)

    @property
    def _table(self) -> tuple[str, str]:
        """Its name as it stands in a statement, and the one by which its columns are called."""
        parts = (self.settings.table or "").split(".")
        return self._database.quote(*parts), self._database.quote(parts[-1])

    @property
    def _from(self) -> str:
        where = f" where ({self.settings.where}\n)" if self.settings.where else ""
        return f"from {self._table[0]}{where}"

    @property
    def _most(self) -> int:
        limit = self.max_depth.critical if self.max_depth else 0
        return max(_COUNTED, _COUNTED_TIMES_LIMIT * limit)

    @property
    def _count(self) -> str:
        rows = f"select 1 as one {self._from} limit {self._most}"
        return f"(select count(*) from ({rows}) as counted)"  # noqa: S608 - its own settings

    def _least(self, column: str) -> str:
        # Called by its table: SQLite takes an unknown name in double quotes for a text.
        name = f"{self._table[1]}.{self._database.quote(column)}"
        return f"(select min({name}) {self._from})"

    def _counted(self, rows: int) -> int:
        return AtLeast(rows) if rows == self._most else rows

    def _row(self, sql: str) -> tuple[Any, ...]:
        """Ask, and say so when it is the table itself that is missing, or closed to us.

        That is one cause for every check of the queue.
        """
        try:
            return self._database.row(sql)
        except QueryFailed as failure:
            if failure.cause is Cause.MISSING and self._is_missing():
                reason = missing_text(str(self.settings.table), self._database.resource)
            elif failure.cause is Cause.DENIED:
                reason = f"cannot tell: {str(failure).splitlines()[0]}"
            else:
                raise
        raise ResourceUnavailable(f"queue {self._context.name}", reason)

    def _is_missing(self) -> bool:
        try:
            self._database.rows(f"select 1 from {self._table[0]} where 1 = 0")  # noqa: S608 - quoted
        except QueryFailed as failure:
            return failure.cause is Cause.MISSING
        return False

    def _no_oldest(self, column: str, *, waiting: bool) -> timedelta:
        if waiting:
            raise CannotTell(f"age_column {column} is NULL in every row that waits")
        return timedelta(0)

    def _reading(self) -> Reading | None:
        if self.settings.progress_sql:
            return self._by_counter(self.settings.progress_sql)
        if self.settings.progress_column:
            return self._by_column(self.settings.progress_column)
        if self.max_stall and self.settings.age_column:
            return self._by_column(self.settings.age_column)
        return None

    def _by_column(self, column: str) -> Reading:
        least, depth = self._row(f"select {self._least(column)}, {self._count}")
        if least is None and depth:
            raise CannotTell(f"progress: {column} is NULL in every row that waits")
        mark = 0.0 if least is None else mark_of(least, column)
        return Reading(source=column, mark=mark, depth=float(depth), restarts=False)

    def _by_counter(self, sql: str) -> Reading:
        removed = _number(self._database.scalar(sql), "progress_sql")
        depth = _number(self.depth(), "depth")
        return Reading(source=sql, mark=removed, depth=depth, restarts=True)


def _number(value: Any, what: str) -> float:
    try:
        number = Decimal(str(value.decode() if isinstance(value, bytes) else value).strip())
    except (InvalidOperation, UnicodeDecodeError):
        number = Decimal("NaN")
    if not number.is_finite():
        got = "no value" if value is None else f"{type(value).__name__} that is none"
        raise CannotTell(f"{what}: expected a number, got {got}")
    return float(number)


def _not_negative(value: Any) -> Any:
    """Refuse what would pass every limit and cannot be a number of rows."""
    if isinstance(value, int | float | Decimal) and not math.isnan(value) and value < 0:
        raise CannotTell(f"sql: {value} rows; is it a difference of counters that have restarted?")
    return value

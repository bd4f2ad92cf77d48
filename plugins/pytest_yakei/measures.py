"""The `measure` fixture: a number, its limit, and the sentence when it is over it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from yakei_shared.durations import format_duration
from yakei_shared.limits import Limit

Comparison = Callable[[float, float], bool]


@dataclass
class Measurement:
    """One measure as it goes into the report."""

    name: str
    value: float | None
    unit: str
    limit: str = ""
    status: str = "ok"


class Measure:
    """A taken number, to be held against a limit; every comparison returns the measure itself.

    A comparison that does not hold raises an AssertionError that reads
    `waiting: 1396 rows (limit: below 1000)`. Where only the warning limit is broken the check
    fails as a warning. A limit of None judges nothing: the number is only recorded.
    """

    def __init__(self, name: str, value: Any, unit: str, record: Measurement) -> None:
        self.name = name
        self.value = value
        self.unit = unit
        self._record = record

    def below(self, limit: Any, *, warn: Any = None) -> Measure:
        """Demand a value strictly under the limit: 999 passes a limit of 1000, 1000 fails."""
        __tracebackhide__ = True
        return self._judge(lambda value, bound: value < bound, "below", limit, warn)

    def at_most(self, limit: Any, *, warn: Any = None) -> Measure:
        """Demand a value not over the limit."""
        __tracebackhide__ = True
        return self._judge(lambda value, bound: value <= bound, "at most", limit, warn)

    def at_least(self, limit: Any, *, warn: Any = None) -> Measure:
        """Demand a value not under the limit."""
        __tracebackhide__ = True
        return self._judge(lambda value, bound: value >= bound, "at least", limit, warn)

    def between(self, low: Any, high: Any, *, warn: tuple[Any, Any] | None = None) -> Measure:
        """Demand a value within the two limits, both included."""
        __tracebackhide__ = True
        low_warning, high_warning = warn or (None, None)
        self.at_least(low, warn=low_warning)
        self.at_most(high, warn=high_warning)
        self._record.limit = f"between {_limit(low)} and {_limit(high)}"
        return self

    def _judge(self, holds: Comparison, words: str, limit: Any, warn: Any) -> Measure:
        __tracebackhide__ = True
        bounds = limit if isinstance(limit, Limit) else Limit(limit, warn)
        if bounds.critical is None and bounds.warning is None:
            return self
        if self._record.value is None:
            shown = words if bounds.critical is None else f"{words} {_limit(bounds.critical)}"
            self._fail("critical", shown, "no value")
        for status, bound in (("critical", bounds.critical), ("warning", bounds.warning)):
            if bound is None:
                continue
            self._record.limit = f"{words} {_limit(bound)}"
            if not holds(self._record.value or 0.0, _number(bound)):
                self._fail(status, self._record.limit, self._shown(self.value))
        return self

    def _fail(self, status: str, limit: str, shown: str) -> None:
        __tracebackhide__ = True
        self._record.status = status
        self._record.limit = limit
        kind = "limit" if status == "critical" else "warning limit"
        raise AssertionError(f"{self.name}: {shown} ({kind}: {limit})")

    def _shown(self, value: Any) -> str:
        return _limit(value) if isinstance(value, timedelta) else f"{value} {self.unit}".strip()


def _limit(bound: Any) -> str:
    return format_duration(bound) if isinstance(bound, timedelta) else str(bound)


def _number(value: Any) -> float:
    return value.total_seconds() if isinstance(value, timedelta) else float(value)


def take(name: str, value: Any, unit: str) -> tuple[Measure, Measurement]:
    """Return a measure of a value: a number, a duration, or text that spells a number.

    None and NaN are no value. Text is read as a number, because some drivers return one.

    Raises:
        AssertionError: the value is text, or something else, that is no number.
    """
    if isinstance(value, timedelta):
        record = Measurement(name, value.total_seconds(), "s")
        return Measure(name, value, unit, record), record
    if isinstance(value, str | bytes):
        value = _spelled(name, value)
    if value is None or (isinstance(value, float | Decimal) and math.isnan(value)):
        record = Measurement(name, None, unit)
        return Measure(name, None, unit, record), record
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise AssertionError(f"{name}: {value!r} is not a number")
    record = Measurement(name, float(value), unit)
    return Measure(name, value, unit, record), record


def _spelled(name: str, text: str | bytes) -> int | Decimal:
    spelled = text.decode(errors="replace") if isinstance(text, bytes) else text
    try:
        number = Decimal(spelled.strip())
    except InvalidOperation:
        raise AssertionError(f"{name}: {spelled!r} is not a number") from None
    return int(number) if number == number.to_integral_value() else number

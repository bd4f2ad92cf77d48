"""Recurring hours, as `mon-fri 23:00-07:00`: when they begin and end, whatever the clocks do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EVERY_DAY = frozenset(range(len(_DAYS)))
_CLOCK = r"((?:[01]\d|2[0-3]):[0-5]\d|24:00)"
_WRITTEN = re.compile(rf"(?:([a-z]{{3}}(?:[-,][a-z]{{3}})*)\s+)?{_CLOCK}\s*-\s*{_CLOCK}")
_EXPECTED = 'expected hours such as "23:00-07:00" or "mon-fri 23:00-07:00"'
_DAY = 24 * 60
"""Minutes."""


class Window(NamedTuple):
    """A part of the day, on some days of the week; one over midnight belongs to its first day."""

    start: int
    """Minutes after midnight, on the clock on the wall."""
    end: int
    """Minutes after the same midnight: over 1440 when it lies on the next day."""
    days: frozenset[int] = _EVERY_DAY
    """Of the week; 0 is Monday."""

    def end_at(self, now: datetime, zone: tzinfo | None) -> datetime | None:
        """Return when the window ends that is open now; None when it is not open.

        Args:
            now: an aware time; the start is in the window, the end is not.
            zone: where the clock hangs; None is the zone of this host.
        """
        today = now.astimezone(zone).date()
        for day in (today, today - timedelta(days=1)):
            if day.weekday() in self.days:
                end = _moment(day, self.end, zone, last=True)
                if _moment(day, self.start, zone, last=False) <= now < end:
                    return end
        return None


def parse_window(written: str) -> Window:
    """Return the window that a text such as `sat,sun 00:00-24:00` names.

    Raises:
        ValueError: it names no hours, no days, or hours that are none.
    """
    match = _WRITTEN.fullmatch(written.strip().lower())
    if match is None:
        raise ValueError(f'{_EXPECTED}, got "{written}"')
    start, end = _minutes(match[2]), _minutes(match[3])
    if start in {end, _DAY}:
        raise ValueError(f'expected hours that last; all day is "00:00-24:00", got "{written}"')
    days = _parse_days(match[1], written) if match[1] else _EVERY_DAY
    return Window(start, end if end > start else end + _DAY, days)


def open_until(windows: Iterable[Window], now: datetime, zone: tzinfo | None) -> datetime | None:
    """Return when the last of the windows that are open now ends; None when none is open."""
    ends = (window.end_at(now, zone) for window in windows)
    return max((end for end in ends if end), default=None)


def _parse_days(text: str, written: str) -> frozenset[int]:
    """Return the days of `mon-fri` or `sat,sun`; `fri-mon` goes over the week's end."""
    days: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if not {first, last or first} <= set(_DAYS):
            raise ValueError(f'expected days among {", ".join(_DAYS)}, got "{written}"')
        number, to = _DAYS.index(first), _DAYS.index(last or first)
        days |= {(number + more) % len(_DAYS) for more in range((to - number) % len(_DAYS) + 1)}
    return frozenset(days)


def _minutes(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)


def _moment(day: date, minutes: int, zone: tzinfo | None, *, last: bool) -> datetime:
    """Return the instant at which a clock on the wall shows this time.

    A time that comes twice, when clocks are set back, is its first instant or its last one, so
    that a window holds both. One that clocks skip is the instant at which they jump.
    """
    wall = datetime.combine(day, time()) + timedelta(minutes=minutes)
    folds = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    early, late = sorted(folds)
    if early == late or late.astimezone(zone).replace(tzinfo=None) == wall:
        return late if last else early
    return _jump(early, late, zone)


def _jump(before: datetime, after: datetime, zone: tzinfo | None) -> datetime:
    """Return the instant between two at which the zone's offset changes, to the second."""
    old = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)

"""Which checks are due: those that run each time, and those whose hour of this period has come."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, time, timedelta, tzinfo

import pytest

from pytest_yakei.records import seconds

_DAY = timedelta(days=1)
_SPREAD_FROM = timedelta(hours=1)
"""Checks of a shorter period are light, and their period is only a few runs long."""
_RUNS_TO_SPREAD = 3
"""A period of fewer runs has no room: a check would miss every second turn."""
_EARLY = timedelta(minutes=2)
"""A run that comes so much too early is in time: cron calls to the second, its host does not."""


def split_due(
    items: list[pytest.Item], judged: dict[str, float], now: datetime, interval: timedelta
) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Return the checks that are due now, and those whose time has not come.

    Args:
        items: all of them.
        judged: when each was last judged, in seconds since the epoch; one that never was is due.
        now: the time of the run.
        interval: how often the suite runs.
    """
    due: list[pytest.Item] = []
    not_due: list[pytest.Item] = []
    for item in items:
        last = judged.get(item.nodeid)
        is_now = last is None or _is_due(item, datetime.fromtimestamp(last, UTC), now, interval)
        (due if is_now else not_due).append(item)
    return due, not_due


def _is_due(item: pytest.Item, last: datetime, now: datetime, interval: timedelta) -> bool:
    mark = item.get_closest_marker("every")
    if mark is None:
        return True
    length = seconds(mark.args[0] if mark.args else mark.kwargs["period"]) or 0.0
    at = mark.args[1] if len(mark.args) > 1 else mark.kwargs.get("at")
    period = timedelta(seconds=length)
    return is_due(item.nodeid, period, at, last=last, now=now, interval=interval)


def is_due(
    check: str,
    period: timedelta,
    at: str | None,
    *,
    last: datetime,
    now: datetime,
    interval: timedelta,
    zone: tzinfo | None = None,
) -> bool:
    """Return whether a check that was last judged at `last` is to be judged now.

    Its turns are moments that do not depend on the runs: at the hour that is asked for, or, so
    that the heavy checks of a suite do not meet in one run, at one that its id decides. A turn that
    nobody was there for is made up for by the next run; and one that comes less than half a period
    after the check was judged is left out, so that none is judged twice for one turn.

    Args:
        check: its id.
        period: how often.
        at: the hour it shall run at, `"04:00"`, or None.
        last: when it was last judged, aware.
        now: the time of the run, aware.
        interval: how often the suite runs.
        zone: whose hours are meant; None is the zone of this host.
    """
    if last > now:  # the clock was set back
        return True
    early = min(period / 10, _EARLY)
    if at is not None:
        turn = _turn_at(time.fromisoformat(at), check, period, now, zone)
    elif period < max(_SPREAD_FROM, _RUNS_TO_SPREAD * interval):
        # of few runs the nearest one: a night that was late, or is an hour short, costs none
        return now - last >= period - max(early, min(interval, period) / 6)
    else:
        turn = _turn_of(check, period, now + early)
    return last < turn and turn - last >= period / 2


def _turn_of(check: str, period: timedelta, now: datetime) -> datetime:
    """Return the last moment that the check's id decides; there is one in each period."""
    phase = _share(check) * period
    since_epoch = now - datetime.fromtimestamp(0, UTC)
    return now - (since_epoch - phase) % period


def _turn_at(
    hour: time, check: str, period: timedelta, now: datetime, zone: tzinfo | None
) -> datetime:
    """Return the last moment at which the clock showed the hour, on a day that is the check's.

    Days are counted and not hours, so that it stays the hour when the clocks are changed.
    """
    days = max(1, round(period / _DAY))
    today = now.astimezone(zone).date()
    late = (today.toordinal() - int(_share(check) * days)) % days
    turn = _moment(today - timedelta(days=late), hour, zone)
    if turn > now:
        turn = _moment(today - timedelta(days=late + days), hour, zone)
    return turn + (now - turn) // period * period if period < _DAY else turn


def _moment(day: date, hour: time, zone: tzinfo | None) -> datetime:
    """Return when a clock shows this time: the first of two, or what it is set to if it never does.

    In UTC: within one zone Python subtracts what the clocks show, and not the time between.
    """
    return datetime.combine(day, hour.replace(tzinfo=None), zone).astimezone(UTC)


def _share(check: str) -> float:
    """Return a number from 0 to 1 that is always the same for one check, and spread over many."""
    digest = hashlib.blake2b(check.encode(), digest_size=6).digest()
    return int.from_bytes(digest) / (1 << 48)

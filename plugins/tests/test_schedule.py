"""When a check that runs only so often is due."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_yakei.schedule import is_due

NOW = datetime.fromisoformat("2026-03-10T04:02:00+09:00")
DAY, HOUR, RUN = timedelta(days=1), timedelta(hours=1), timedelta(minutes=5)
BERLIN = ZoneInfo("Europe/Berlin")
"""Its clocks go from 02:00 to 03:00 on 2026-03-29, and from 03:00 to 02:00 on 2026-10-25."""
CHECK = "monitors/test_backups.py::test_newest_backups_can_be_read[export]"


def is_due_at(at: str | None, last: datetime, now: datetime, period: timedelta = DAY) -> bool:
    return is_due(CHECK, period, at, last=last, now=now, interval=RUN, zone=NOW.tzinfo)


def runs(begin: datetime, days: float, every: timedelta = RUN) -> Iterator[datetime]:
    """Give the times at which cron calls."""
    return (begin + number * every for number in range(int(days * DAY / every)))


def judgements(
    times: Iterator[datetime],
    *,
    check: str = CHECK,
    period: timedelta = DAY,
    at: str | None = None,
    zone: tzinfo | None = UTC,
    interval: timedelta = RUN,
) -> list[datetime]:
    """Return when a check is judged, if the suite runs at these times; first of all at once."""
    judged = [next(times)]
    for now in times:
        if is_due(check, period, at, last=judged[-1], now=now, interval=interval, zone=zone):
            judged.append(now)
    return judged


@pytest.mark.parametrize(
    ("at", "last", "due"),
    [
        pytest.param("04:00", NOW - DAY, True, id="its hour has just come"),
        pytest.param("04:00", NOW - timedelta(minutes=1), False, id="already done this night"),
        pytest.param("05:00", NOW - timedelta(hours=22), False, id="its hour is still to come"),
        pytest.param("05:00", NOW - 2 * DAY, True, id="a missed night is made up for"),
        pytest.param("23:00", NOW - timedelta(hours=30), True, id="the hour was before midnight"),
        pytest.param("04:00", NOW - timedelta(hours=3), False, id="made up for three hours ago"),
        pytest.param(None, NOW - 2 * DAY, True, id="two days ago"),
        pytest.param(None, NOW - timedelta(minutes=5), False, id="in the last run"),
        pytest.param(None, NOW + DAY, True, id="the clock was set back"),
    ],
)
def test_a_daily_check(at: str | None, last: datetime, due: bool) -> None:
    assert is_due_at(at, last, NOW) is due


@pytest.mark.parametrize(
    ("period", "last", "due"),
    [
        pytest.param(2 * RUN, NOW - RUN, False, id="the period is not over"),
        pytest.param(2 * RUN, NOW - 2 * RUN, True, id="the period is over"),
        pytest.param(2 * RUN, NOW - 2 * RUN + timedelta(seconds=20), True, id="cron was early"),
    ],
)
def test_a_check_of_a_short_period_counts_from_its_last_run(
    period: timedelta, last: datetime, due: bool
) -> None:
    assert is_due_at(None, last, NOW, period) is due


@pytest.mark.parametrize("at", [None, "04:00", "00:00", "23:59"])
def test_a_daily_check_is_judged_once_a_day(at: str | None) -> None:
    judged = judgements(runs(NOW, 30), at=at)
    gaps = {after - before for before, after in pairwise(judged[1:])}

    assert gaps == {DAY}
    assert DAY / 2 <= judged[1] - judged[0] <= DAY * 3 / 2


def test_a_weekly_check_is_judged_once_a_week_at_its_hour() -> None:
    judged = judgements(runs(NOW, 70), period=7 * DAY, at="05:00", zone=NOW.tzinfo)
    gaps = {after - before for before, after in pairwise(judged[1:])}

    assert gaps == {7 * DAY}
    assert {each.strftime("%H:%M") for each in judged[1:]} == {"05:02"}


def test_a_check_every_twelve_hours_keeps_to_its_two_hours() -> None:
    judged = judgements(runs(NOW, 5), period=12 * HOUR, at="04:00", zone=NOW.tzinfo)

    assert {each.strftime("%H:%M") for each in judged} == {"04:02", "16:02"}


def test_daily_checks_do_not_meet_in_one_run() -> None:
    """288 runs a day, 200 checks: after the first run, which judges all, a few in each run."""
    checks = [f"monitors/test_deep.py::test_it[{number}]" for number in range(200)]
    second = Counter(judgements(runs(NOW, 2), check=check)[1] for check in checks)

    assert max(second.values()) <= 6
    assert len(second) > 80


def test_weekly_checks_of_one_hour_do_not_meet_in_one_night() -> None:
    checks = [f"monitors/test_deep.py::test_it[{number}]" for number in range(70)]
    weekly = {"period": 7 * DAY, "at": "05:00"}
    second = Counter(judgements(runs(NOW, 15), check=check, **weekly)[1] for check in checks)

    assert len(second) == 7
    assert max(second.values()) <= 20


@pytest.mark.parametrize("at", ["01:30", "02:30", "03:30", "04:00", "23:30"])
@pytest.mark.parametrize("day", ["2026-03-27", "2026-10-23"], ids=["spring", "autumn"])
def test_the_nights_when_the_clocks_are_changed_have_one_turn(at: str, day: str) -> None:
    begin = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=BERLIN).astimezone(UTC)
    judged = judgements(runs(begin, 5), at=at, zone=BERLIN)
    dates = [each.astimezone(BERLIN).date() for each in judged]

    assert len(dates) == len(set(dates))
    assert len(judged) == (5 if at == "23:30" else 6)  # the first one is too near to the start


def test_a_turn_in_the_hour_that_a_clock_leaves_out_comes_after_it() -> None:
    begin = datetime.fromisoformat("2026-03-28T12:00+01:00")
    turn = judgements(runs(begin, 1), at="02:30", zone=BERLIN)[1]

    assert turn.astimezone(BERLIN).strftime("%d. %H:%M") == "29. 03:30"


def test_a_missed_night_is_made_up_for_and_the_next_keeps_its_hour() -> None:
    nights = [*runs(NOW, 0.2), *runs(NOW + 1.5 * DAY, 3)]
    judged = judgements(iter(nights), at="04:00", zone=NOW.tzinfo)

    assert [each.strftime("%d. %H:%M") for each in judged] == [
        "10. 04:02",
        "11. 16:02",
        "13. 04:02",
        "14. 04:02",
    ]


@settings(deadline=None, max_examples=50)
@given(
    st.text(min_size=1),
    st.sampled_from([HOUR, 6 * HOUR, DAY, 2 * DAY, 7 * DAY]),
    st.sampled_from([None, "04:00"]),
    st.lists(st.integers(1, 40), min_size=30, max_size=120),
)
def test_whatever_runs_are_missed_a_check_is_never_judged_too_often_or_forgotten(
    check: str, period: timedelta, at: str | None, skips: list[int]
) -> None:
    times = [NOW]
    for skip in skips:
        times.append(times[-1] + skip * timedelta(minutes=20))
    judged = judgements(iter(times), check=check, period=period, at=at)
    gaps = [after - before for before, after in pairwise(judged)]
    longest_hole = max(after - before for before, after in pairwise(times))

    assert all(gap >= period / 2 for gap in gaps)
    assert all(gap <= 1.5 * max(period, DAY if at else period) + longest_hole for gap in gaps)
    assert times[-1] - judged[-1] <= 1.5 * max(period, DAY if at else period) + longest_hole


@pytest.mark.parametrize("late", [0, 7, 120], ids="{} min".format)
def test_where_each_run_is_a_turn_a_late_night_costs_not_the_next(late: int) -> None:
    """A suite of its own that cron calls at 04:00; on 2026-03-29 that is 23 hours later."""
    nights = [datetime(2026, 3, 26 + day, 4, tzinfo=BERLIN).astimezone(UTC) for day in range(6)]
    nights[1] += timedelta(minutes=late)

    assert judgements(iter(nights), zone=BERLIN, interval=DAY) == nights

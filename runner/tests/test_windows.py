"""When recurring hours begin and end: over midnight, on some days, and when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from suites import PATIENTLY

from yakei.incidents.windows import open_until, parse_window

BERLIN = ZoneInfo("Europe/Berlin")
"""Clocks jump from 02:00 to 03:00 on 29 March 2026, and back from 03:00 to 02:00 on 25 October."""


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("window", "now", "expected"),
    [
        ("23:00-07:00", "2026-01-18T23:00+01:00", "2026-01-19T07:00+01:00"),
        ("23:00-07:00", "2026-01-18T22:59:59.9+01:00", ""),
        ("23:00-07:00", "2026-01-18T03:00+01:00", "2026-01-18T07:00+01:00"),
        ("23:00-07:00", "2026-01-18T07:00+01:00", ""),
        ("23:00-07:00", "2026-01-18T12:00+01:00", ""),
        ("12:00-13:00", "2026-01-18T12:30+01:00", "2026-01-18T13:00+01:00"),
        ("sat,sun 00:00-24:00", "2026-01-18T23:59+01:00", "2026-01-19T00:00+01:00"),
        ("sat,sun 00:00-24:00", "2026-01-19T00:00+01:00", ""),
        ("22:00-24:00", "2026-01-18T23:30+01:00", "2026-01-19T00:00+01:00"),
        ("22:00-00:00", "2026-01-18T23:30+01:00", "2026-01-19T00:00+01:00"),
        ("fri-mon 01:00-02:00", "2026-01-18T01:30+01:00", "2026-01-18T02:00+01:00"),
        ("fri-mon 01:00-02:00", "2026-01-20T01:30+01:00", ""),
        ("MON-FRI 08:00 - 09:00", "2026-01-19T08:30+01:00", "2026-01-19T09:00+01:00"),
    ],
    ids=[
        "the first instant is in the window",
        "the one before is not",
        "after midnight it is still open",
        "the end is not in the window",
        "noon is not in the night",
        "a window within one day",
        "a whole Sunday lasts until midnight",
        "Monday's first minute is no weekend",
        "24:00 is the end of the day",
        "00:00 as an end is the next midnight",
        "days go over the end of the week",
        "Tuesday is not between Friday and Monday",
        "upper case and room are as good",
    ],
)
def test_a_window_is_open_until_its_end(window: str, now: str, expected: str) -> None:
    end = parse_window(window).end_at(at(now), BERLIN)

    assert end == (at(expected) if expected else None)


@pytest.mark.parametrize(
    ("now", "is_open"),
    [
        pytest.param("2026-01-19T03:00+01:00", True, id="Sunday's window goes on into Monday"),
        pytest.param("2026-01-18T03:00+01:00", False, id="Sunday's small hours are Saturday's"),
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_it_starts_on(now: str, is_open: bool) -> None:
    assert bool(parse_window("sun 23:00-07:00").end_at(at(now), BERLIN)) is is_open


@pytest.mark.parametrize(
    ("window", "begins", "ends"),
    [
        pytest.param(
            "02:30-04:00",
            "2026-03-29T01:00+00:00",
            "2026-03-29T02:00+00:00",
            id="a start that is skipped is the jump",
        ),
        pytest.param(
            "01:00-02:30",
            "2026-03-29T00:00+00:00",
            "2026-03-29T01:00+00:00",
            id="an end that is skipped is the jump",
        ),
        pytest.param(
            "23:00-07:00",
            "2026-03-28T22:00+00:00",
            "2026-03-29T05:00+00:00",
            id="the night in which clocks jump has seven hours",
        ),
        pytest.param(
            "02:30-04:00",
            "2026-10-25T00:30+00:00",
            "2026-10-25T03:00+00:00",
            id="a start that comes twice is the first one",
        ),
        pytest.param(
            "01:00-02:30",
            "2026-10-24T23:00+00:00",
            "2026-10-25T01:30+00:00",
            id="an end that comes twice is the last one",
        ),
        pytest.param(
            "23:00-07:00",
            "2026-10-24T21:00+00:00",
            "2026-10-25T06:00+00:00",
            id="the night in which clocks are set back has nine hours",
        ),
    ],
)
def test_a_window_holds_when_clocks_change(window: str, begins: str, ends: str) -> None:
    hours, second = parse_window(window), timedelta(seconds=1)
    moments = (at(begins) - second, at(begins), at(ends) - second, at(ends))

    assert [bool(hours.end_at(each, BERLIN)) for each in moments] == [False, True, True, False]


def test_hours_that_are_skipped_whole_are_never_open() -> None:
    hours = parse_window("02:15-02:45")
    night = at("2026-03-29T00:00+00:00")

    minutes = (night + timedelta(minutes=number) for number in range(180))
    assert not any(hours.end_at(each, BERLIN) for each in minutes)


def test_the_last_of_several_windows_says_when_it_is_over() -> None:
    windows = [parse_window("01:00-05:00"), parse_window("02:00-06:00")]

    assert open_until(windows, at("2026-01-18T03:00+01:00"), BERLIN) == at("2026-01-18T06:00+01:00")


@pytest.mark.parametrize(
    "written",
    ["", "23-7", "25:00-07:00", "07:00-07:00", "24:00-07:00", "day 01:00-02:00", "mon-fri", "x"],
)
def test_what_is_no_hours_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_window(written)


@PATIENTLY
@given(
    st.integers(0, 1439),
    st.integers(1, 1440),
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)),  # noqa: DTZ001 - made aware below
)
def test_every_day_has_a_window_that_begins_and_ends_once(
    start: int, length: int, day: datetime
) -> None:
    """Walked through in steps of five minutes, it opens at most once within a day."""
    last = start + length
    end = f"{last // 60 % 24:02}:{last % 60:02}" if last != 1440 else "24:00"
    begin = f"{start // 60:02}:{start % 60:02}"
    if begin == end:
        return
    hours, noon = parse_window(f"{begin}-{end}"), day.replace(hour=12, minute=0, tzinfo=UTC)
    steps = [noon + timedelta(minutes=5 * number) for number in range(2 * 288)]

    states = [hours.end_at(each, BERLIN) is not None for each in steps]
    opened = sum(later and not earlier for earlier, later in pairwise(states))
    assert opened <= 2

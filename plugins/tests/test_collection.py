"""When a check that runs only so often is due."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from pytest_yakei.collection import is_due

NOW = datetime.fromisoformat("2026-03-10T04:02:00+09:00")
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("at", "last", "due"),
    [
        pytest.param(None, NOW - DAY, True, id="a day ago"),
        pytest.param(None, NOW - timedelta(hours=5), False, id="five hours ago"),
        pytest.param(None, NOW - DAY + timedelta(minutes=1), True, id="cron came a minute early"),
        pytest.param(None, NOW + DAY, True, id="the clock was set back"),
        pytest.param("04:00", NOW - DAY, True, id="its hour has just come"),
        pytest.param("04:00", NOW - timedelta(minutes=1), False, id="already done this night"),
        pytest.param("05:00", NOW - timedelta(hours=22), False, id="its hour is still to come"),
        pytest.param("05:00", NOW - 2 * DAY, True, id="a missed night is made up for"),
        pytest.param("23:00", NOW - timedelta(hours=30), True, id="the hour was before midnight"),
    ],
)
def test_a_daily_check(at: str | None, last: datetime, due: bool) -> None:
    assert is_due(DAY, at, last, NOW) is due

"""What `[slony.NAME]` accepts, and what it refuses because a healthy cluster would break it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pytest_yakei.probes.slony import Settings
from yakei_shared.limits import Limit

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"max_lag": Limit(19 * SECOND)}, "max_lag: expected at least 20 s, because an idle"),
        ({"max_lag": Limit(60 * SECOND, 10 * SECOND)}, "max_lag: expected at least 20 s.*got 10 s"),
        ({"max_lag": Limit(0 * SECOND)}, "max_lag: expected at least 20 s"),
        ({"max_silence": 29 * SECOND}, "max_silence: expected at least 30 s, got 29 s"),
        ({"log_window": 0 * SECOND}, "log_window: expected more than nothing"),
    ],
)
def test_an_impossible_limit_is_refused(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Settings(database="main", cluster="slony1", **given)


def test_the_usual_limits_are_a_minute_to_warn_and_five_to_wake_somebody() -> None:
    settings = Settings(database="main", cluster="slony1")

    assert settings.max_lag == Limit(critical=300 * SECOND, warning=60 * SECOND)


def test_twenty_seconds_is_the_strictest_limit() -> None:
    Settings(database="main", cluster="slony1", max_lag=Limit(20 * SECOND))

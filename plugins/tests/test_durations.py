"""Durations as people write and read them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from yakei_shared.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("90s", 90), ("5m", 300), ("1h30m", 5400), ("7d", 604800), ("0s", 0), ("1.5s", 1.5)],
)
def test_a_written_duration_is_understood(written: str, seconds: float) -> None:
    assert parse_duration(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize("written", ["", "5", "5 m", "m5", "-5m", "1w", "1m1h", "99999999999d"])
def test_what_is_no_duration_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        parse_duration(written)


@pytest.mark.parametrize(
    ("seconds", "read"),
    [
        pytest.param(0, "0 s", id="nothing"),
        pytest.param(0.25, "0.2 s", id="below ten seconds a tenth tells something"),
        pytest.param(59.6, "1 min", id="rounded up into the next unit"),
        pytest.param(400, "6 min 40 s", id="two units"),
        pytest.param(3605, "1 h", id="a unit that is nothing is left out"),
        pytest.param(90061, "1 d 1 h", id="the two largest units only"),
        pytest.param(-90, "-1 min 30 s", id="negative"),
    ],
)
def test_a_duration_is_shown_in_its_two_largest_units(seconds: float, read: str) -> None:
    assert format_duration(seconds) == read

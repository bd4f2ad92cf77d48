"""How many runs have to fail, as people write it."""

from __future__ import annotations

import pytest

from yakei_shared.thresholds import Threshold, parse_threshold


@pytest.mark.parametrize(
    ("written", "threshold"),
    [
        (3, Threshold(3)),
        ("3", Threshold(3)),
        ("3 of 5", Threshold(3, 5)),
        (" 3  of 5 ", Threshold(3, 5)),
        ("21 of 21", Threshold(21, 21)),
        ("1 of 1", Threshold(1, 1)),
    ],
)
def test_a_written_threshold_is_understood(written: object, threshold: Threshold) -> None:
    assert parse_threshold(written) == threshold


@pytest.mark.parametrize(
    "written",
    [0, -1, True, 2.5, None, [3], "", "0", "-3", "three", "3 of", "0 of 5", "6 of 5", "1 of 22"],
)
def test_what_no_run_can_reach_is_refused_with_an_example(written: object) -> None:
    with pytest.raises(ValueError, match='expected a number of runs such as 3, or "3 of 5"'):
        parse_threshold(written)

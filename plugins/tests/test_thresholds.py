"""How a threshold is written, and what is no threshold."""

from __future__ import annotations

import pytest

from yakei_shared.thresholds import Threshold, parse_threshold


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param(1, Threshold(1), id="the first failure"),
        pytest.param(3, Threshold(3), id="three in a row"),
        pytest.param("3", Threshold(3), id="as text, out of a reference"),
        pytest.param("3 of 5", Threshold(3, 5), id="three of the last five"),
        pytest.param("1 of 1", Threshold(1, 1), id="the smallest window"),
        pytest.param("2 of 21", Threshold(2, 21), id="the largest window"),
    ],
)
def test_a_threshold_is_a_number_of_runs_or_a_part_of_the_last_ones(
    written: object, expected: Threshold
) -> None:
    assert parse_threshold(written) == expected


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        pytest.param(0, "at least 1", id="none"),
        pytest.param(-1, "at least 1", id="negative"),
        pytest.param("0 of 5", "at least 1", id="none of five"),
        pytest.param("6 of 5", "a window of 6 to 21 runs", id="more than there are"),
        pytest.param("3 of 22", "a window of 3 to 21 runs", id="more than are remembered"),
        pytest.param("often", 'such as "3 of 5", got "often"', id="a word"),
        pytest.param("3/5", 'such as "3 of 5", got "3/5"', id="a fraction"),
        pytest.param(True, "expected a number of runs", id="a truth"),
        pytest.param(1.5, "expected a number of runs", id="half a run"),
        pytest.param(None, "expected a number of runs", id="nothing"),
    ],
)
def test_what_is_no_threshold_is_refused(written: object, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_threshold(written)

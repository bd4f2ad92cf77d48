"""A measure is held against its limit, and says so in one line when it is over it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from pytest_yakei.measures import take
from yakei_shared.limits import Limit


@pytest.mark.parametrize(
    ("value", "limit"),
    [
        pytest.param(999, 1000, id="just under"),
        pytest.param("999", 1000, id="text that spells a number"),
        pytest.param(Decimal(999), 1000, id="a decimal"),
        pytest.param(b"999", 1000, id="bytes"),
        pytest.param(timedelta(minutes=4), timedelta(minutes=5), id="durations"),
        pytest.param(10**6, None, id="no limit judges nothing"),
        pytest.param(None, None, id="no value and no limit"),
    ],
)
def test_below_holds(value: Any, limit: Any) -> None:
    _, record = take("waiting", value, "rows")
    take("waiting", value, "rows")[0].below(limit)

    assert record.status == "ok"


@pytest.mark.parametrize(
    ("value", "limit", "text"),
    [
        (1000, 1000, "waiting: 1000 rows (limit: below 1000)"),
        ("1396", 1000, "waiting: 1396 rows (limit: below 1000)"),
        (None, 1000, "waiting: no value (limit: below 1000)"),
        (float("nan"), 1000, "waiting: no value (limit: below 1000)"),
        (900, Limit(1000, 800), "waiting: 900 rows (warning limit: below 800)"),
        (1200, Limit(1000, 800), "waiting: 1200 rows (limit: below 1000)"),
        (timedelta(seconds=301), timedelta(minutes=5), "waiting: 5 min 1 s (limit: below 5 min)"),
    ],
)
def test_below_fails_in_one_line(value: Any, limit: Any, text: str) -> None:
    with pytest.raises(AssertionError) as raised:
        take("waiting", value, "rows")[0].below(limit)

    assert str(raised.value) == text


@pytest.mark.parametrize("value", ["many", True, object(), [1]])
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(AssertionError, match="is not a number"):
        take("waiting", value, "")


def test_the_other_comparisons_include_their_limits() -> None:
    measure, record = take("free", 5, "GiB")

    measure.at_most(5).at_least(5).between(5, 5)

    assert record.limit == "between 5 and 5"


@pytest.mark.parametrize(
    ("comparison", "arguments"),
    [("at_most", (4,)), ("at_least", (6,)), ("between", (6, 9)), ("between", (1, 4))],
)
def test_the_other_comparisons_fail_outside(comparison: str, arguments: tuple[int, ...]) -> None:
    measure, record = take("free", 5, "GiB")

    with pytest.raises(AssertionError):
        getattr(measure, comparison)(*arguments)
    assert record.status == "critical"


def test_a_warning_limit_may_be_given_beside_the_limit() -> None:
    measure, record = take("free", 5, "GiB")

    with pytest.raises(AssertionError, match="warning limit: at least 6"):
        measure.at_least(1, warn=6)
    assert record.status == "warning"

"""A moment is understood in any spelling that an age column may hold."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from pytest_yakei.errors import CannotTell
from pytest_yakei.probes.queues.moments import seconds_of


@pytest.mark.parametrize(
    "value",
    [
        datetime(2026, 1, 31, tzinfo=UTC),
        datetime(2026, 1, 31),  # noqa: DTZ001 - as MySQL's driver gives it
        date(2026, 1, 31),
        "2026-01-31",
        "20260131",
        b"2026-01-31 00:00:00",
        "2026-01-31T00:00:00Z",
        "2026-01-31 09:00:00+09:00",
        1769817600,
        1769817600.0,
        Decimal(1769817600),
        "1769817600",
        1769817600_000,
        1769817600_000_000,
        1769817600_000_000_000,
    ],
)
def test_a_moment_is_understood_in_any_spelling(value: Any) -> None:
    assert seconds_of(value, UTC, "at") == 1769817600


@pytest.mark.parametrize("value", [True, timedelta(1), "0000-00-00 00:00:00", ""])
def test_what_is_no_moment_is_refused(value: Any) -> None:
    with pytest.raises(CannotTell, match="age_column at holds no time"):
        seconds_of(value, UTC, "at")

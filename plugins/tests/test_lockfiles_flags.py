"""A flag counts while it is there; and what `[lockfiles.NAME]` may not say."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bystanders import context_of
from locked import held_by_a_job, path

from pytest_yakei.errors import CannotTell
from pytest_yakei.measures import take
from pytest_yakei.probes.lockfiles import LockFile, Settings, probe
from yakei_shared.limits import Limit

__all__ = ["path"]

MINUTE = timedelta(minutes=1)


def flag(path: Path, **settings: Any) -> LockFile:
    return probe(context_of(Settings(path=path, max_age=Limit(120 * MINUTE), **settings)))


def test_a_flag_that_is_not_set_has_no_age(tmp_path: Path) -> None:
    assert flag(tmp_path / "no-statistics").age() == timedelta(0)


def test_a_flag_that_its_job_left_behind_grows_old(path: Path, tmp_path: Path) -> None:
    left = tmp_path / "no-statistics"
    left.touch()
    _date(left, timedelta(hours=-5))
    judged = flag(left, unless_locked=path)

    with pytest.raises(AssertionError) as failure, judged.explained():
        take("age", judged.age(), "")[0].below(judged.max_age)

    assert str(failure.value).startswith("age: 5 h (limit: below 2 h)\n")
    assert f"{path} is not held: the job that set the flag has ended" in str(failure.value)
    assert f"2. rm {left}" in str(failure.value)


def test_a_flag_may_be_old_while_its_job_runs(path: Path, tmp_path: Path) -> None:
    flagged = tmp_path / "no-statistics"
    flagged.touch()
    _date(flagged, timedelta(hours=-5))

    with held_by_a_job(path):
        assert flag(flagged, unless_locked=path).age() == timedelta(0)


def test_a_flag_from_the_future_has_no_age(path: Path) -> None:
    _date(path, timedelta(hours=2))

    with pytest.raises(CannotTell, match=r"is dated 2 h in the future"):
        flag(path).age()


def _date(path: Path, since_now: timedelta) -> None:
    moment = (datetime.now(UTC) + since_now).timestamp()
    os.utime(path, (moment, moment))


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        pytest.param({}, "max_held: missing", id="neither lock nor flag"),
        pytest.param({"max_held": 1, "max_age": 1}, "max_age: a flag's", id="both"),
        pytest.param({"max_held": 1, "unless_locked": "l"}, "unless_locked: goes", id="excuse"),
        pytest.param({"max_held": 0}, "max_held: expected more", id="no time at all"),
    ],
)
def test_settings_that_judge_nothing_are_refused(settings: dict[str, Any], problem: str) -> None:
    given = {
        key: Path(value) if isinstance(value, str) else Limit(value * MINUTE)
        for key, value in settings.items()
    }

    with pytest.raises(ValueError, match=problem):
        Settings(path=Path("backup.lock"), **given)

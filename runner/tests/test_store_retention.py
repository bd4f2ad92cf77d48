"""What is too old or too much goes, a little in every run."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from stored import NEWS, record, rows
from suites import NIGHT, QUEUE, depth, failed, minutes, passed, run

from yakei.store import Store
from yakei.store.retention import MEGABYTE, Retention

WEEK = Retention(keep=timedelta(days=7))
MANY = run(*(passed(f"m.py::test_{number}", fact="x" * 100) for number in range(40)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


def days(number: float) -> datetime:
    return NIGHT + timedelta(days=number)


def count(folder: Path, table: str) -> int:
    return int(rows(folder, f"select count(*) from {table}")[0][0])


def test_what_is_kept_is_as_the_configuration_says(folder: Path) -> None:
    with Store.open(folder, retention=WEEK) as store:
        for day in (0, 3, 8):
            record(store, run(depth(10)), at=days(day))

    assert [count(folder, table) for table in ("runs", "outcomes", "measures")] == [2, 2, 2]


@pytest.mark.parametrize(("keep", "kept"), [(7, 1), (500, 2)])
def test_incidents_are_kept_for_400_days_or_as_long_as_the_rest(
    folder: Path, keep: int, kept: int
) -> None:
    with Store.open(folder, retention=Retention(keep=timedelta(days=keep))) as store:
        for day, report in ((0, failed()), (1, passed()), (300, failed()), (450, passed())):
            record(store, run(report), at=days(day))

    assert count(folder, "incidents") == kept


def test_a_message_that_nobody_has_taken_is_not_forgotten_with_its_run(folder: Path) -> None:
    with Store.open(folder, retention=WEEK) as store:
        record(store, run(failed()), ("email", NEWS), ("slack", NEWS))
        store.mark_delivered([store.pending("slack")[0].id], NIGHT)
        record(store, run(failed()), at=days(10))

        assert [len(store.pending(each)) for each in ("email", "slack")] == [1, 0]
    assert [count(folder, table) for table in ("notifications", "told")] == [1, 1]


@pytest.mark.slow
def test_a_shorter_time_is_reached_step_by_step(folder: Path) -> None:
    """To remove years at once would hold the state for minutes."""
    with Store.open(folder) as store:
        for number in range(650):
            record(store, run(depth(10)), at=NIGHT + minutes(number))
    kept = []
    with Store.open(folder, retention=WEEK) as store:
        for number in range(3):
            record(store, run(depth(10)), at=days(20 + number))
            kept.append(count(folder, "runs"))

    assert kept == [351, 52, 3]


def test_a_clock_that_was_wrong_for_one_run_costs_only_that_run(folder: Path) -> None:
    with Store.open(folder, retention=WEEK) as store:
        record(store, run(depth(10)))
        record(store, run(depth(10)), at=datetime.fromtimestamp(0, NIGHT.tzinfo))
        record(store, run(depth(10)), at=NIGHT + minutes(10))

    assert count(folder, "runs") == 2


@pytest.mark.slow
def test_a_file_that_is_too_large_loses_its_oldest_runs(folder: Path) -> None:
    small = Retention(max_size=MEGABYTE)
    with Store.open(folder, retention=small) as store:
        for number in range(650):
            record(store, MANY, at=NIGHT + minutes(number))

    (first,) = rows(folder, "select min(number) from runs")
    assert first > (1,)
    assert 300 <= count(folder, "runs") < 600
    assert (folder / "state.sqlite3").stat().st_size < 4 * MEGABYTE


@pytest.mark.slow
def test_messages_go_with_the_runs_that_they_are_about(folder: Path) -> None:
    with Store.open(folder, retention=Retention(max_size=1)) as store:
        for number in range(310):
            at = NIGHT + minutes(number)
            record(store, run(failed()), ("email", replace(NEWS, created=at)), at=at)
            store.mark_delivered([store.pending("email")[-1].id], at)

    assert count(folder, "runs") == count(folder, "notifications") == 300
    assert set(rows(folder, "select key from told")) == {(QUEUE,)}


def test_checks_that_flap_for_months_do_not_fill_the_disk(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yakei.store.retention._INCIDENTS", 20)
    with Store.open(folder) as store:
        for number in range(60):
            record(store, run(passed() if number % 2 else failed()), at=NIGHT + minutes(number))

    assert count(folder, "incidents") == 20

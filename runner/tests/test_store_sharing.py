"""Two configurations with one state: each keeps its own suite, and it is said once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from stored import record
from suites import BACKUP, NIGHT, QUEUE, failed, minutes, passed, run

from yakei.incidents import Decision
from yakei.results import RunReport
from yakei.store import Store

SHOP, NIGHTLY = run(failed()), run(passed(BACKUP))
Recorder = Callable[[Path, RunReport], tuple[Decision, str]]


@pytest.fixture
def recorded(tmp_path: Path) -> Recorder:
    """Give what records a run of a configuration, and returns its decision and what is said."""
    times = iter(range(100))

    def record_run(configuration: Path, report: RunReport) -> tuple[Decision, str]:
        with Store.open(tmp_path / "state", configuration=configuration) as store:
            decision = record(store, report, at=NIGHT + minutes(next(times)))
            return decision, store.note

    return record_run


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "yakei.toml"
    path.touch()
    return path


@pytest.fixture
def nightly(tmp_path: Path) -> Path:
    path = tmp_path / "yakei-nightly.toml"
    path.touch()
    return path


def test_what_the_other_ones_suite_holds_is_not_closed(
    recorded: Recorder, shop: Path, nightly: Path
) -> None:
    decisions = [
        recorded(configuration, report)[0]
        for configuration, report in ((shop, SHOP), (nightly, NIGHTLY)) * 3
    ]

    assert [each.vanished for each in decisions] == [()] * 6
    assert [list(each.state.incidents) for each in decisions] == [[QUEUE]] * 6
    assert decisions[-2].state.incidents[QUEUE].runs == 3


def test_it_is_said_once_with_what_to_do(recorded: Recorder, shop: Path, nightly: Path) -> None:
    notes = [
        recorded(configuration, report)[1]
        for configuration, report in ((shop, SHOP), (nightly, NIGHTLY)) * 3
    ]

    assert notes[2].endswith(
        f"it is used by {nightly} as well; nothing of theirs is closed, but give each"
        " configuration a state of its own: [run] state"
    )
    assert [bool(note) for note in notes] == [False, False, True, False, False, False]


def test_a_check_that_vanishes_from_its_own_suite_is_noticed(
    recorded: Recorder, shop: Path, nightly: Path
) -> None:
    both = run(failed(), passed("m.py::test_other"))
    recorded(shop, both)
    recorded(nightly, NIGHTLY)
    decision, _ = recorded(shop, SHOP)

    assert decision.vanished == ("m.py::test_other",)


def test_a_configuration_that_was_renamed_keeps_its_suite(
    recorded: Recorder, shop: Path, tmp_path: Path
) -> None:
    recorded(shop, SHOP)
    renamed = shop.rename(tmp_path / "watch.toml")
    decision, note = recorded(renamed, run(passed("m.py::test_other")))

    assert (decision.vanished, note) == ((QUEUE,), "")


def test_a_new_release_takes_over_from_the_one_before(recorded: Recorder, tmp_path: Path) -> None:
    """Its folder is a new one, and the old one stays for a while."""
    releases = [tmp_path / name / "yakei.toml" for name in ("20261120", "20261121")]
    for release in releases:
        release.parent.mkdir()
        release.touch()
    recorded(releases[0], SHOP)
    decisions = [recorded(releases[1], run(passed("m.py::test_other"))) for _ in range(3)]

    assert decisions[0][0].vanished == (QUEUE,)
    assert {note for _, note in decisions} == {""}


def test_a_run_that_broke_takes_over_nothing(
    recorded: Recorder, shop: Path, tmp_path: Path
) -> None:
    recorded(shop, SHOP)
    (tmp_path / "new").mkdir()
    moved = shop.rename(tmp_path / "new" / "yakei.toml")
    recorded(moved, replace(SHOP, partial=True))
    decision, _ = recorded(moved, run(passed("m.py::test_other")))

    assert decision.vanished == (QUEUE,)

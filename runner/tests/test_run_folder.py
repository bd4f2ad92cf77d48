"""Where runs keep their raw output, and how much of it stays."""

from __future__ import annotations

import os
import subprocess
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from yakei.run_folder import KEPT, RunFolder, make_run_folder

BEGUN = datetime(2026, 1, 18, 3, 5, tzinfo=UTC)


def made_by_another(state: Path, number: int) -> RunFolder:
    """Make the folder of a run so many seconds later, whose process has ended."""
    return make_run_folder(state, BEGUN + timedelta(seconds=number), 0)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's temporary folder."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def unwritable(tmp_path: Path) -> Path:
    """A state folder that nobody can make, not even root."""
    (tmp_path / "file").touch()
    return tmp_path / "file" / ".yakei"


def test_only_the_last_runs_stay_in_the_state_folder(tmp_path: Path) -> None:
    made = [made_by_another(tmp_path, number) for number in range(KEPT + 5)]

    assert {each.complaint for each in made} == {""}
    assert sorted((tmp_path / "runs").iterdir()) == [each.path for each in made[-KEPT:]]


def test_a_night_without_a_state_folder_leaves_no_more_elsewhere(
    unwritable: Path, temporary: Path
) -> None:
    made = [made_by_another(unwritable, number) for number in range(KEPT + 5)]

    assert {each.complaint for each in made} == {
        f"{unwritable / 'runs'} cannot be written: Not a directory"
    }
    (ours,) = temporary.iterdir()
    assert ours.stat().st_mode & 0o077 == 0
    assert sorted((ours / "runs").iterdir()) == [each.path for each in made[-KEPT:]]


def test_a_folder_that_others_could_have_filled_is_not_used(
    unwritable: Path, temporary: Path
) -> None:
    theirs = temporary / f"yakei-{os.geteuid()}"
    theirs.mkdir()
    theirs.chmod(0o777)

    folder = made_by_another(unwritable, 1).path

    assert folder.parent == temporary
    assert folder.stat().st_mode & 0o077 == 0
    assert not list(theirs.iterdir())


def test_the_folder_of_a_run_that_is_under_way_stays(tmp_path: Path) -> None:
    """Others that find the lock taken make theirs meanwhile; and a clock may be set back."""
    with subprocess.Popen(["sleep", "60"]) as other:
        theirs = make_run_folder(tmp_path, BEGUN - timedelta(days=1), other.pid).path
        for number in range(KEPT + 5):
            made_by_another(tmp_path, number)
        ours = made_by_another(tmp_path, -1).path
        other.kill()

    assert (theirs / "started").exists()
    assert (ours / "started").exists()


def test_a_pid_that_lives_again_keeps_no_folder(tmp_path: Path) -> None:
    """In a container each run has the same."""
    for number in range(KEPT + 5):
        folder = make_run_folder(tmp_path, BEGUN + timedelta(seconds=number)).path
        os.utime(folder / "started", (number, number))
    made_by_another(tmp_path, KEPT + 5)

    assert len(list((tmp_path / "runs").iterdir())) == KEPT


def test_two_runs_of_one_pid_and_second_have_names_of_their_own(tmp_path: Path) -> None:
    """As in containers, where each run may be process 7."""
    made = [make_run_folder(tmp_path, BEGUN, 7) for _ in range(3)]

    assert [each.run_id for each in made] == [f"20260118-03050{second}-7" for second in range(3)]
    assert [each.path.name for each in made] == [each.run_id for each in made]
    assert {each.complaint for each in made} == {""}

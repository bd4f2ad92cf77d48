"""Where runs keep their raw output, and how much of it stays."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from yakei.run_folder import KEPT, make_run_folder


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
    made = [make_run_folder(tmp_path, f"run-{number:02}x") for number in range(KEPT + 5)]

    assert {complaint for _, complaint in made} == {""}
    assert sorted((tmp_path / "runs").iterdir()) == [folder for folder, _ in made[-KEPT:]]


def test_a_night_without_a_state_folder_leaves_no_more_elsewhere(
    unwritable: Path, temporary: Path
) -> None:
    made = [make_run_folder(unwritable, f"run-{number:02}x") for number in range(KEPT + 5)]

    assert {complaint for _, complaint in made} == {
        f"{unwritable / 'runs'} cannot be written: Not a directory"
    }
    (ours,) = temporary.iterdir()
    assert ours.stat().st_mode & 0o077 == 0
    assert sorted((ours / "runs").iterdir()) == [folder for folder, _ in made[-KEPT:]]


def test_a_folder_that_others_could_have_filled_is_not_used(
    unwritable: Path, temporary: Path
) -> None:
    theirs = temporary / f"yakei-{os.geteuid()}"
    theirs.mkdir()
    theirs.chmod(0o777)

    folder, _ = make_run_folder(unwritable, "run-1")

    assert folder.parent == temporary
    assert folder.stat().st_mode & 0o077 == 0
    assert not list(theirs.iterdir())


def test_the_folder_of_a_run_that_is_under_way_stays(tmp_path: Path) -> None:
    """Others that find the lock taken make theirs meanwhile; and a clock may be set back."""
    with subprocess.Popen(["sleep", "60"]) as other:
        theirs, _ = make_run_folder(tmp_path, f"20100109-030500-{other.pid}")
        for number in range(KEPT + 5):
            make_run_folder(tmp_path, f"20260118-030500-{number}x")
        ours, _ = make_run_folder(tmp_path, "20100109-030501-x")
        other.kill()

    assert (theirs / "started").exists()
    assert (ours / "started").exists()


def test_a_pid_that_lives_again_keeps_no_folder(tmp_path: Path) -> None:
    """In a container each run has the same."""
    for number in range(KEPT + 5):
        folder, _ = make_run_folder(tmp_path, f"20100109-{number:06}-{os.getpid()}")
        os.utime(folder / "started", (number, number))
    make_run_folder(tmp_path, "20260118-030500-x")

    assert len(list((tmp_path / "runs").iterdir())) == KEPT

"""Folders that are missing, empty, unreadable or away for a while; links; access times."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from backup_sets import HOUR, NOW, dump_run, dumps


def test_missing_and_empty_and_no_folder_have_texts_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("/nowhere")

    texts = [
        dump_run(tmp_path / name).ask("late_members").splitlines()[0]
        for name in ("empty", "missing", "file", "link")
    ]

    assert [text.removeprefix(f"{tmp_path}/") for text in texts] == [
        "empty is empty: no backup at all",
        "missing does not exist",
        "file is not a folder",
        "link is a link to /nowhere, which does not exist",
    ]


def test_a_missing_folder_is_told_by_one_rule_only(tmp_path: Path) -> None:
    assert len(dump_run(tmp_path / "missing").everything()) == 1


def test_a_folder_that_is_unmounted_for_a_while_keeps_its_baseline(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    files = dumps(folder)
    run = dump_run(folder)
    run.ask("losses")
    folder.rename(tmp_path / "away")
    assert not run.ask("losses")
    (tmp_path / "away").rename(folder)
    files[3].unlink()

    assert files[3].name in run.ask("losses")


AS_STRANGER = """
import sys; sys.path[:0] = {paths!r}
from pathlib import Path
from backup_sets import dump_run
for rule in ("late_members", "losses", "damaged_sets"):
    try:
        print("passed", dump_run(Path({folder!r})).ask(rule))
    except Exception as error:
        print(type(error).__name__, error)
"""


def ask_as_stranger(folder: Path) -> list[str]:
    """Return what three rules say to root without its capabilities, who is then like anybody."""
    program = AS_STRANGER.format(paths=sys.path, folder=str(folder))
    command = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", sys.executable, "-c", program]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


@pytest.mark.server
def test_a_folder_of_somebody_else_cannot_be_judged(tmp_path: Path) -> None:
    """Each of the checks says so: one cause, which the runner tells once."""
    dumps(tmp_path)
    tmp_path.chmod(0o700)
    os.chown(tmp_path, 65534, 65534)

    said = ask_as_stranger(tmp_path)

    assert all(line.startswith("ResourceUnavailable") for line in said)
    assert "uid 0, and the mode is 0700 of uid 65534" in said[0]


@pytest.mark.server
def test_a_file_of_somebody_else_cannot_be_judged(tmp_path: Path) -> None:
    newest = dumps(tmp_path)[0]
    newest.chmod(0o600)
    os.chown(newest, 65534, 65534)

    said = ask_as_stranger(tmp_path)

    assert [line.split()[0] for line in said] == ["CannotTell", "passed", "CannotTell"]
    assert "mode is 0600 of uid 65534" in said[0]


def test_a_link_to_nowhere_is_damaged_and_a_link_to_a_dump_is_good(tmp_path: Path) -> None:
    files = dumps(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    moved = files[0].rename(tmp_path / "elsewhere" / files[0].name)
    files[0].symlink_to(moved)
    assert not dump_run(tmp_path).everything()
    moved.unlink()
    os.utime(files[0], (0, (NOW - HOUR).timestamp()), follow_symlinks=False)

    assert "a link that leads nowhere" in dump_run(tmp_path).ask("damaged_sets")


def test_access_times_stay_as_they_are(tmp_path: Path) -> None:
    """Cleaners such as systemd-tmpfiles go by them."""
    newest = dumps(tmp_path)[0]
    os.utime(newest, (0, newest.stat().st_mtime))
    os.utime(tmp_path, (0, 0))

    dump_run(tmp_path).everything()

    assert (newest.stat().st_atime, tmp_path.stat().st_atime) == (0, 0)

"""Folders of any files: the newest of a pattern, a file written anew, the files of a folder."""

from __future__ import annotations

import gzip
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from backup_sets import DAY, HOUR, NOW, Run, touch

CONTENT = gzip.compress(os.urandom(60_000))


def run_on(folder: Path, *members: str, **settings: Any) -> Run:
    usual = {"max_age": 26 * HOUR, "retention": 7 * DAY, "zone": "UTC"}
    return Run("directory", {"path": folder, "members": members, **usual, **settings})


def write(path: Path, age: timedelta, content: bytes = CONTENT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return touch(path, NOW - age)


def nightly(folder: Path, name: str = "etc", *, newest: timedelta = 8 * HOUR) -> list[Path]:
    return [write(folder / f"{name}-{n}.tar.gz", newest + n * DAY) for n in range(7)]


def test_the_newest_file_of_a_pattern_is_judged(tmp_path: Path) -> None:
    nightly(tmp_path)
    nightly(tmp_path, "home", newest=3 * DAY)
    run = run_on(tmp_path, "etc-*.tar.gz", "home-*.tar.gz")

    assert run.ask("late_members").startswith("home-*.tar.gz: last backup 3 d ago (limit 1 d 2 h)")


def test_good_files_are_silent_in_every_run(tmp_path: Path) -> None:
    nightly(tmp_path)
    run = run_on(tmp_path, "etc-*.tar.gz")

    assert run.everything() == run.everything() == []
    assert run.ask("unmergeable") == ""


def test_a_member_that_matches_nothing_is_late(tmp_path: Path) -> None:
    nightly(tmp_path)

    assert run_on(tmp_path, "mail-*").ask("late_members").startswith("mail-*: no backup at all")


@pytest.mark.parametrize("member", ["db/app", "db/app/*"])
def test_the_files_in_a_folder_are_a_member(tmp_path: Path, member: str) -> None:
    nightly(tmp_path / "db" / "app")

    assert run_on(tmp_path, member).everything() == []


def test_a_file_that_is_written_anew_each_time_has_a_history(tmp_path: Path) -> None:
    """One run sees one size; what is usual comes from the runs before."""
    run = run_on(tmp_path, "site.tar.gz")
    for day in range(5):
        write(tmp_path / "site.tar.gz", HOUR - day * DAY)
        assert run.everything(NOW + day * DAY) == []
    write(tmp_path / "site.tar.gz", HOUR - 5 * DAY, CONTENT[:600])

    found = run.everything(NOW + 5 * DAY)

    assert found == [run.ask("shrunk", NOW + 5 * DAY)]
    assert found[0].startswith("site.tar.gz: 1.0 % of usual")


def test_a_file_that_is_just_written_anew_is_not_judged(tmp_path: Path) -> None:
    write(tmp_path / "site.tar.gz", HOUR / 120, b"\x1f")
    run = run_on(tmp_path, "site.tar.gz")

    assert run.everything() == []
    assert "site.tar.gz is not judged: it was written to just now" in run.notes


def test_rotated_files_are_not_lost(tmp_path: Path) -> None:
    """`site.tar.gz.1` becomes `site.tar.gz.2`, and the last one goes."""
    for number in range(1, 8):
        write(tmp_path / f"site.tar.gz.{number}", HOUR + DAY * number)
    run = run_on(tmp_path, "site.tar.gz*")
    run.ask("losses")
    (tmp_path / "site.tar.gz.7").unlink()
    for number in range(6, 0, -1):
        (tmp_path / f"site.tar.gz.{number}").rename(tmp_path / f"site.tar.gz.{number + 1}")
    write(tmp_path / "site.tar.gz.1", -DAY)

    assert run.ask("losses", NOW + DAY + HOUR) == ""


def test_a_file_that_begins_like_something_else_is_damaged(tmp_path: Path) -> None:
    nightly(tmp_path)
    broken = write(tmp_path / "etc-9.tar.gz", HOUR, b"<html>502 Bad Gateway</html>" * 2000)

    damaged = run_on(tmp_path, "etc-*.tar.gz").ask("damaged_sets")

    assert damaged.startswith(f"{broken.name}: begins like no gzip file")


def test_the_newest_file_is_read_to_its_end(tmp_path: Path) -> None:
    nightly(tmp_path)
    write(tmp_path / "etc-9.tar.gz", HOUR, CONTENT[: len(CONTENT) // 2])
    run = run_on(tmp_path, "etc-*.tar.gz")

    assert run.ask("unrestorable").startswith("etc-9.tar.gz: cannot be restored\n  gzip: ")


def test_content_that_nobody_knows_is_only_weighed(tmp_path: Path) -> None:
    write(tmp_path / "home.tar.gpg", HOUR, os.urandom(1000))
    run = run_on(tmp_path, "home.tar.gpg")

    assert run.everything() == []
    assert run.ask("unrestorable") == ""


@pytest.mark.parametrize("member", ["/etc/*", "../x", "*/x.tar"])
def test_members_stay_below_the_folder(tmp_path: Path, member: str) -> None:
    with pytest.raises(ValueError, match=r"^members: "):
        run_on(tmp_path, member).ask("late_members")


def test_missing_and_empty_folders_have_texts_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    assert "is empty" in run_on(tmp_path / "empty", "*").ask("late_members")
    assert "does not exist" in run_on(tmp_path / "missing", "*").ask("late_members")

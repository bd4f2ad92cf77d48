"""Snapshots of btrfs on a file system of their own, which root mounts from a file."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from backup_sets import DAY, HOUR, NOW, Run
from servers.requirements import program

from pytest_yakei.probes.backups.moments import from_local

pytestmark = pytest.mark.server
MEMBER = "db00/home"


def btrfs(*arguments: object) -> None:
    tool = program("btrfs", what="btrfs", package="btrfs-progs")
    subprocess.run([tool, *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty btrfs."""
    if os.geteuid() != 0:
        pytest.fail("a btrfs is mounted from a file, which only root may: run as root")
    folder = tmp_path_factory.mktemp("btrfs")
    image, mounted = folder / "image", folder / "disk"
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(300 << 20)
    maker = program("mkfs.btrfs", what="btrfs", package="btrfs-progs")
    subprocess.run([maker, "-q", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, mounted], check=True)
    try:
        yield mounted
    finally:
        subprocess.run(["umount", mounted], check=True)


@pytest.fixture
def base(disk: Path, request: pytest.FixtureRequest) -> Path:
    """A folder of backups with one member, whose `cur` is a subvolume with some files."""
    base = disk / request.node.name.replace("[", "_").replace("]", "")
    (base / MEMBER).mkdir(parents=True)
    btrfs("subvolume", "create", base / MEMBER / "cur")
    fill(base, 40)
    return base


def fill(base: Path, number: int) -> None:
    """Have so many files in `cur`, a tenth of them to a folder."""
    for file in (base / MEMBER / "cur").rglob("file*"):
        file.unlink()
    for index in range(number):
        folder = base / MEMBER / "cur" / f"folder{index % 10}"
        folder.mkdir(exist_ok=True)
        (folder / f"file{index}").touch()


def snapshot(base: Path, age: timedelta, member: str = MEMBER) -> Path:
    """Take a real snapshot, named as it would have been so long ago."""
    path = base / member / f"{NOW - age:%Y-%m-%dT%H:%M:%S}"
    btrfs("subvolume", "snapshot", "-r", base / member / "cur", path)
    return path


def run_on(base: Path, *members: str, **settings: object) -> Run:
    # A file system of 300 MiB has less than 1 GiB to spare from the beginning.
    usual = {"zone": "UTC", "min_unallocated_percent": 1}
    return Run("btrfs", {"path": base, "members": members or (MEMBER,), **usual, **settings})


def test_good_snapshots_are_silent_in_every_run(base: Path) -> None:
    for days in range(3):
        snapshot(base, 8 * HOUR + days * DAY)
    run = run_on(base)

    assert run.everything() == run.everything() == []
    assert run.ask("unrestorable") == run.ask("unmergeable") == ""


def test_an_old_newest_snapshot_is_late(base: Path) -> None:
    """Its modification time is that of what it is a copy of: only the name counts."""
    snapshot(base, 30 * HOUR)

    late = run_on(base).ask("late_members")

    assert late.startswith(f"{MEMBER}: last snapshot 1 d 6 h ago (limit 1 d 2 h)")


def test_a_member_without_snapshots_or_folder_is_late(base: Path) -> None:
    late = run_on(base, MEMBER, "db01/home").ask("late_members")

    assert f"{MEMBER}: no snapshot\n  only other names" in late
    assert "db01/home: no snapshot\n" in late
    assert "does not exist" in late


def test_a_snapshot_of_the_future_is_told_and_does_not_count(base: Path) -> None:
    snapshot(base, 30 * HOUR)
    snapshot(base, -2 * DAY)

    late = run_on(base).ask("late_members")

    assert "named 2 d in the future" in late
    assert "last snapshot 1 d 6 h ago" in late


def test_an_hour_ahead_may_be_the_change_of_clocks(base: Path) -> None:
    snapshot(base, -HOUR)

    assert not run_on(base).ask("late_members")


def test_a_source_that_was_not_mounted_empties_the_snapshot(base: Path) -> None:
    snapshot(base, 32 * HOUR)
    fill(base, 3)
    newest = snapshot(base, 8 * HOUR)

    shrunk = run_on(base).ask("shrunk")

    assert shrunk.startswith(f"{MEMBER}/{newest.name}: shrank to 26 % of the entries (limit 50 %)")
    assert "13 entries, before it 50" in shrunk


def test_entries_are_counted_once_for_each_snapshot(base: Path) -> None:
    for age in (32 * HOUR, 8 * HOUR):
        snapshot(base, age)
    run = run_on(base)
    run.ask("shrunk")

    assert sorted(run.memory["shrunk"]["entries"].values()) == [50, 50]


def test_many_more_entries_are_a_warning(base: Path) -> None:
    snapshot(base, 32 * HOUR)
    fill(base, 400)
    snapshot(base, 8 * HOUR)
    run = run_on(base)

    assert run.everything() == [run.ask("grown")]


def test_a_plain_folder_instead_of_the_subvolume_is_told(base: Path) -> None:
    """The copy succeeds every day, the snapshot fails every day, and nobody says a word."""
    snapshot(base, 8 * HOUR)
    btrfs("subvolume", "delete", base / MEMBER / "cur")
    (base / MEMBER / "cur").mkdir()

    damaged = run_on(base).ask("damaged_sets")

    assert damaged.startswith(f"{MEMBER}/cur: not a subvolume: snapshots are failing silently")


def test_a_missing_current_subvolume_is_told(base: Path) -> None:
    snapshot(base, 8 * HOUR)
    btrfs("subvolume", "delete", base / MEMBER / "cur")

    assert f"{MEMBER}/cur: is missing" in run_on(base).ask("damaged_sets")


def test_a_plain_folder_named_as_a_snapshot_is_told(base: Path) -> None:
    (base / MEMBER / f"{NOW - HOUR:%Y-%m-%dT%H:%M:%S}").mkdir()

    assert "not a snapshot but a plain folder" in run_on(base).ask("damaged_sets")


def test_a_snapshot_that_goes_before_its_time_is_a_loss(base: Path) -> None:
    for days in range(4):
        last = snapshot(base, 8 * HOUR + days * DAY)
    run = run_on(base, retention=30 * DAY)
    run.ask("losses")
    btrfs("subvolume", "delete", last)

    assert run.ask("losses").startswith(f"{MEMBER}: lost 1 before the time (retention 30 d)")


def test_a_snapshot_that_was_due_may_go(base: Path) -> None:
    last = snapshot(base, 8 * DAY)
    snapshot(base, HOUR)
    run = run_on(base, retention=7 * DAY)
    run.ask("losses")
    btrfs("subvolume", "delete", last)

    assert not run.ask("losses")


def test_too_many_or_too_old_snapshots_are_a_warning(base: Path) -> None:
    for days in (0, 1, 12):
        snapshot(base, 8 * HOUR + days * DAY)

    found = run_on(base, retention=7 * DAY, max_snapshots=2).ask("retention_problems")

    assert "3 snapshots (limit 2)" in found
    assert "oldest is 12 d 8 h old (limit 9 d): retention not running" in found


def test_a_disk_without_room_for_chunks_is_a_warning(base: Path) -> None:
    snapshot(base, HOUR)

    found = run_on(base, min_unallocated_percent=99).ask("retention_problems")

    assert "of the disk unallocated (limit 99 %)" in found


def test_a_target_that_nobody_configured_is_told(base: Path) -> None:
    snapshot(base, HOUR)
    (base / "web01/srv").mkdir(parents=True)
    btrfs("subvolume", "create", base / "web01/srv/cur")
    snapshot(base, HOUR, "web01/srv")

    assert run_on(base).ask("leftovers").startswith("web01/srv: has backups and is not among")


def test_missing_and_empty_folders_have_texts_of_their_own(base: Path) -> None:
    (base / "empty").mkdir()

    assert "is empty" in run_on(base / "empty").ask("late_members")
    assert "does not exist" in run_on(base / "missing").ask("late_members")


def test_members_are_host_and_target(base: Path) -> None:
    with pytest.raises(ValueError, match=r'^members: expected "HOST/TARGET", got "db00"'):
        run_on(base, "db00").ask("late_members")


def test_an_hour_that_comes_twice_is_read_as_the_second() -> None:
    """A snapshot is not called late because the clocks were put back."""
    twice = datetime.fromisoformat("2026-10-25 02:30")

    assert from_local(twice, "Europe/Berlin") == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)

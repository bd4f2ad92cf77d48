"""Sets of blocks: a full backup a month, increments since, and a version that says how far."""

from __future__ import annotations

import fcntl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from backup_sets import DAY, HOUR, NOW, BlockWriter, block_run, block_set, touch

NAME = "srv00-pv-lv-202601"


def partial(writer: BlockWriter, age: timedelta) -> None:
    """Leave the two files of a next version as a run leaves them that has not ended."""
    for rest in (f"{writer.version + 1}.gz", f"{writer.version + 1}.md5"):
        writer.path(rest).write_bytes(b"\x1f\x8b half")
        touch(writer.path(rest), NOW - age)


def test_a_whole_set_is_silent_in_every_run(tmp_path: Path) -> None:
    block_set(tmp_path, NAME)
    run = block_run(tmp_path)

    assert run.everything() == run.everything() == []
    assert run.ask("unrestorable") == run.ask("unmergeable") == ""


def test_an_unfinished_version_is_left_alone_while_the_lock_is_held(tmp_path: Path) -> None:
    partial(block_set(tmp_path, NAME), HOUR * 9)
    lock = tmp_path / "backup.lock"
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert block_run(tmp_path, lock=lock).everything() == []

    assert block_run(tmp_path, lock=lock).ask("leftovers")


def test_a_young_unfinished_version_is_left_alone(tmp_path: Path) -> None:
    partial(block_set(tmp_path, NAME), HOUR / 6)

    assert block_run(tmp_path).everything() == []


def test_an_old_unfinished_version_is_that_of_a_died_run(tmp_path: Path) -> None:
    partial(block_set(tmp_path, NAME), 9 * HOUR)
    run = block_run(tmp_path)

    assert run.everything() == [run.ask("leftovers")]
    assert run.ask("leftovers").startswith(f"{NAME}: last run died 9 h ago (limit 6 h)")
    assert "the set is still valid at version 3" in run.ask("leftovers")


@pytest.mark.parametrize(("hour", "told"), [(2, ""), (8, "srv00: no set of 202602")])
def test_last_months_set_is_enough_until_the_deadline(tmp_path: Path, hour: int, told: str) -> None:
    now = datetime(2026, 2, 1, hour, tzinfo=UTC)
    block_set(tmp_path, NAME, newest=timedelta(hours=hour + 20), now=now)

    late = block_run(tmp_path, max_age=30 * HOUR).ask("late_members", now)

    assert bool(late) is bool(told)
    assert late.startswith(told)


def test_the_month_begins_in_the_zone_of_the_names(tmp_path: Path) -> None:
    now = datetime(2026, 1, 31, 23, tzinfo=UTC)  # the 1st, 08:00 in Tokyo
    block_set(tmp_path, NAME, now=now)

    assert not block_run(tmp_path).ask("late_members", now)
    assert block_run(tmp_path, zone="Asia/Tokyo").ask("late_members", now)


def test_a_set_that_began_on_the_second_is_as_good(tmp_path: Path) -> None:
    now = datetime(2026, 2, 2, 12, tzinfo=UTC)
    block_set(tmp_path, NAME, newest=2 * DAY, now=now)
    block_set(tmp_path, "srv00-pv-lv-202602", versions=1, now=now)

    assert block_run(tmp_path).everything(now) == []


def test_of_three_members_only_the_late_one_is_told_and_how_the_others_fared(
    tmp_path: Path,
) -> None:
    for member, age in (("srv00", 8 * HOUR), ("srv01", 3 * DAY), ("db00", 7 * HOUR)):
        block_set(tmp_path, f"{member}-pv-lv-202601", newest=age)

    late = block_run(tmp_path, "srv00", "srv01", "db00").ask("late_members")

    assert late.startswith("srv01: last good 3 d ago (limit 1 d 2 h)")
    assert "db00: last good 7 h ago" in late
    assert "srv01-pv-lv-202601, version 3, 2026-01-17 12:00 +0000" in late


def test_every_volume_of_a_member_must_be_fresh(tmp_path: Path) -> None:
    block_set(tmp_path, "srv00-pv-home-202601")
    block_set(tmp_path, "srv00-pv-root-202601", newest=3 * DAY)

    assert block_run(tmp_path).ask("late_members").startswith("srv00-pv-root: last good 3 d ago")


def test_a_member_whose_name_begins_another_is_not_taken_for_it(tmp_path: Path) -> None:
    block_set(tmp_path, "srv00-202601")
    block_set(tmp_path, "srv00-a-202601")

    late = block_run(tmp_path, "srv0", "srv00", "srv00-a").ask("late_members")

    assert late.startswith("srv0: no set at all")
    assert len(late.splitlines()[0].split(" more")) == 1


def test_a_set_without_a_month_knows_no_deadline(tmp_path: Path) -> None:
    block_set(tmp_path, "srv00", versions=40)

    assert block_run(tmp_path).everything() == []


def test_a_version_of_the_future_is_told(tmp_path: Path) -> None:
    block_set(tmp_path, NAME, newest=-2 * DAY)

    assert "dated 2 d in the future" in block_run(tmp_path).ask("late_members")


def test_a_set_that_nobody_configured_is_told(tmp_path: Path) -> None:
    block_set(tmp_path, NAME)
    block_set(tmp_path, "web01-202601")

    assert block_run(tmp_path).everything()[0].startswith("web01: has backups and is not among")


def test_last_months_set_may_go_when_this_months_is_complete(tmp_path: Path) -> None:
    old = block_set(tmp_path, "srv00-202512", newest=21 * DAY)
    block_set(tmp_path, "srv00-202601")
    run = block_run(tmp_path)
    run.ask("losses")
    for file in tmp_path.glob(f"{old.name}.*"):
        file.unlink()

    assert not run.ask("losses")


def test_last_months_set_may_not_go_before(tmp_path: Path) -> None:
    """Also not while this month's first version is still being written."""
    old = block_set(tmp_path, "srv00-202512", newest=20 * DAY)
    new = BlockWriter(tmp_path, "srv00-202601")
    partial(new, HOUR)
    run = block_run(tmp_path)
    run.ask("losses")
    for file in tmp_path.glob(f"{old.name}.*"):
        file.unlink()

    assert run.ask("losses").startswith("srv00: lost 6 before the time")


def test_a_set_that_goes_before_its_retention_is_a_loss(tmp_path: Path) -> None:
    old = block_set(tmp_path, "srv00-202512", newest=21 * DAY)
    block_set(tmp_path, "srv00-202601")
    run = block_run(tmp_path, retention=60 * DAY)
    run.ask("losses")
    for file in tmp_path.glob(f"{old.name}.*"):
        file.unlink()

    assert "srv00: lost 6 before the time (retention 60 d)" in run.ask("losses")


def test_a_version_that_went_back_is_a_loss(tmp_path: Path) -> None:
    writer = block_set(tmp_path, NAME, versions=5)
    run = block_run(tmp_path)
    run.ask("losses")
    writer.path("ver").write_text("3\n")

    assert f"{NAME}: version 3, was 5: replaced?" in run.ask("losses")
    assert f"{NAME}: version 3, was 5: replaced?" in run.ask("losses")


def test_a_set_that_should_have_been_deleted_is_a_warning(tmp_path: Path) -> None:
    block_set(tmp_path, "srv00-202509", newest=110 * DAY)
    block_set(tmp_path, "srv00-202601")

    found = block_run(tmp_path, retention=60 * DAY).ask("retention_problems")

    assert found.startswith("srv00-202509: ended 110 d ago (limit 62 d): retention not running")


def test_missing_and_empty_folders_have_texts_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    assert "is empty" in block_run(tmp_path / "empty").ask("late_members")
    assert "does not exist" in block_run(tmp_path / "missing").ask("late_members")
    assert len(block_run(tmp_path / "missing").everything()) == 1

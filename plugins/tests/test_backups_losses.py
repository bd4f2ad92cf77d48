"""Losses and retention: a folder's total may shrink, and no single file may go too early."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from backup_sets import DAY, HOUR, NOW, USUAL, archive, dump, dump_run, dumps, touch
from servers.requirements import program


def test_the_first_look_records_a_baseline_and_the_second_is_judged(tmp_path: Path) -> None:
    files = dumps(tmp_path)
    run = dump_run(tmp_path)

    assert run.everything() == []
    assert "baseline recorded: 14 backups" in run.notes
    files[5].unlink()
    assert run.ask("losses").startswith("app: lost 1 before the time (retention 7 d)")


def test_a_loss_is_found_although_the_folder_has_grown(tmp_path: Path) -> None:
    files = dumps(tmp_path, newest=12 * HOUR)
    run = dump_run(tmp_path)
    run.ask("losses")
    files[3].unlink()
    dump(tmp_path, "app", HOUR, 2 * USUAL)

    lost = run.ask("losses")

    assert f"{files[3].name}: 2 d old, 293.0 KiB, gone" in lost
    assert "added 585.9 KiB, expired 0 B, unexplained 293.0 KiB" in lost


def test_a_loss_is_told_until_the_file_would_have_gone_anyway(tmp_path: Path) -> None:
    files = dumps(tmp_path)
    run = dump_run(tmp_path)
    run.ask("losses")
    files[3].unlink()

    assert [bool(run.ask("losses", NOW + days * DAY)) for days in (0, 2, 5, 6)] == [
        True,
        True,
        True,
        False,
    ]


def test_a_lost_file_that_is_back_is_forgotten(tmp_path: Path) -> None:
    files = dumps(tmp_path)
    run = dump_run(tmp_path)
    run.ask("losses")
    away = files[3].rename(tmp_path.parent / "away")
    assert run.ask("losses")
    away.rename(files[3])

    assert not run.ask("losses")


def test_a_loss_can_be_accepted(tmp_path: Path) -> None:
    files = dumps(tmp_path)
    run = dump_run(tmp_path)
    run.ask("losses")
    files[3].unlink()
    run.settings["accepted_since"] = "2026-01-20"

    assert not run.ask("losses")


def test_a_file_replaced_by_a_smaller_one_is_a_loss(tmp_path: Path) -> None:
    """Also in the run after the one in which it was just being written."""
    files = dumps(tmp_path)
    run = dump_run(tmp_path)
    run.ask("losses")
    files[3].write_bytes(archive(3000))
    touch(files[3], NOW)
    assert not run.ask("losses")

    assert f"{files[3].name}: 1 d 15 h old, 293.0 KiB, now 2.9 KiB" in run.ask("losses", NOW + HOUR)


@pytest.mark.parametrize(
    "content",
    [pytest.param(b"", id="empty"), pytest.param(archive()[:9000], id="cut short")],
)
def test_what_never_was_a_backup_may_be_cleared_away(tmp_path: Path, content: bytes) -> None:
    """Also when a good one has been made meanwhile, so that it is the newest no longer."""
    dumps(tmp_path)
    run = dump_run(tmp_path)
    run.ask("losses")
    bad = dump(tmp_path, "app", HOUR, content)
    run.ask("losses")
    dump(tmp_path, "app", HOUR / 2)
    run.ask("losses")
    bad.unlink()

    assert not run.ask("losses")


def test_a_backup_that_was_emptied_is_a_loss(tmp_path: Path) -> None:
    newest = dumps(tmp_path)[0]
    run = dump_run(tmp_path)
    run.ask("losses")
    newest.write_bytes(b"")
    touch(newest, NOW - HOUR)

    assert f"{newest.name}: 2 h old, 293.0 KiB, now 0 B" in run.ask("losses")


def test_a_loss_says_what_to_do_once(tmp_path: Path) -> None:
    dumps(tmp_path, "blog")[3].unlink()
    lost = [dumps(tmp_path, member)[3] for member in ("app", "wiki")]
    run = dump_run(tmp_path, "app", "blog", "wiki")
    run.ask("losses")
    for file in lost:
        file.unlink()

    told = run.ask("losses")

    assert told.count("Do        1. what is left?") == told.count("since the last run") == 1
    assert 'accepted_since = "2026-01-20 12:00Z"' in told


def test_a_renamed_file_is_not_lost(tmp_path: Path) -> None:
    files = dumps(tmp_path)
    run = dump_run(tmp_path)
    run.ask("losses")
    files[3].rename(tmp_path / "app_20260118110000.dump")

    assert not run.ask("losses")


def test_members_may_come_and_go_in_the_configuration(tmp_path: Path) -> None:
    dumps(tmp_path)
    shop = dumps(tmp_path, "shop")
    run = dump_run(tmp_path, "app", "shop")
    run.ask("losses")
    for file in shop:
        file.unlink()
    run.settings["members"] = ("app",)
    assert not run.ask("losses")
    run.settings["members"] = ("app", "blog")
    dumps(tmp_path, "blog")

    assert not run.ask("losses")


def test_a_longer_retention_does_not_blame_the_shorter_one(tmp_path: Path) -> None:
    files = dumps(tmp_path)
    run = dump_run(tmp_path)
    run.ask("losses")
    files[13].unlink()
    later = NOW + 14 * HOUR
    run.settings["retention"] = 14 * DAY

    assert not run.ask("losses", later)
    assert not run.ask("retention_problems", later)


def test_without_retention_every_file_that_goes_is_a_loss(tmp_path: Path) -> None:
    files = dumps(tmp_path)
    run = dump_run(tmp_path, retention=None)
    run.ask("losses")
    files[13].unlink()

    assert "no retention is configured" in run.ask("losses")


def clean(folder: Path, retention: str = "7d") -> None:
    """Delete old files as the cleaner does; `m:` lets the modification time alone decide."""
    conf = folder.parent / "clean.conf"
    conf.write_text(f"d {folder} - - - m:{retention}\n")
    cleaner = program("systemd-tmpfiles", what="The cleaner", package="systemd")
    subprocess.run([cleaner, "--clean", conf], check=True)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """An export folder beside which there is room for a configuration."""
    (tmp_path / "export").mkdir()
    return tmp_path / "export"


@pytest.mark.server
def test_retention_that_deletes_while_a_dump_is_written_is_silent(export: Path) -> None:
    """Two old dumps go while one new comes: the total shrinks, and all is well."""
    now = datetime.now(UTC)  # the cleaner goes by the machine's clock
    for number in range(15):
        dump(export, "app", 13 * HOUR + 12 * HOUR * number, now=now)
    run = dump_run(export)
    assert run.everything(now - HOUR) == []
    clean(export)
    dump(export, "app", HOUR / 12, now=now)

    assert len(list(export.iterdir())) == 14
    assert run.everything(now) == []


def test_a_dump_older_than_retention_and_a_cleaning_is_a_warning(tmp_path: Path) -> None:
    dumps(tmp_path)
    dump(tmp_path, "app", 12 * DAY)
    run = dump_run(tmp_path)

    assert run.everything() == [run.ask("retention_problems")]
    assert run.ask("retention_problems").startswith(
        "app: oldest is 12 d old (limit 9 d): retention not running"
    )


def test_a_history_that_is_too_short_was_deleted_early(tmp_path: Path) -> None:
    files = dumps(tmp_path)
    run = dump_run(tmp_path)
    run.ask("retention_problems")
    for file in files[4:]:
        file.unlink()

    assert run.ask("retention_problems", NOW + HOUR / 12) == ""
    assert "oldest is only" in run.ask("retention_problems", NOW + 14 * HOUR)


def test_a_new_member_has_first_to_fill_up(tmp_path: Path) -> None:
    dumps(tmp_path, number=3)

    assert not dump_run(tmp_path, interval=12 * HOUR).ask("retention_problems")


def test_too_few_backups_are_a_warning_once_the_folder_is_full(tmp_path: Path) -> None:
    files = dumps(tmp_path, number=15)
    for file in files[3:8]:
        file.unlink()

    found = dump_run(tmp_path, interval=12 * HOUR).ask("retention_problems")

    assert "10 backups (expected 14 in 7 d)" in found

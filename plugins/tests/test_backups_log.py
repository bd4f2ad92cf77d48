"""The log of the last run: how it ended, what it completed, how long databases were locked."""

from __future__ import annotations

import fcntl
import gzip
from datetime import timedelta
from pathlib import Path

import pytest
from backup_sets import HOUR, NOW, Run, at, block_run, block_set, cronlog, touch

START = at("03:05:02", "backup-srv starting: ./backup.sh")
MEMBER = [
    at("03:05:03", "creating snapshot..."),
    at("03:18:40", '  Logical volume "lvm_dump" successfully removed'),
    at("03:18:41", "backup completed successfully"),
]
LOCK = at("03:35:56", "issuing lock statement")


def unlock(clock: str) -> str:
    return at(clock, "issuing unlock statement")


def log_run(folder: Path, text: str, *members: str, **settings: object) -> Run:
    """Return the checks of a folder whose log has this text."""
    (folder / "backup.log").write_text(text)
    for member in members or ("srv00",):
        block_set(folder, f"{member}-202601")
    return block_run(folder, *members, log=folder / "backup.log", **settings)


def test_a_run_that_ended_well_is_silent(tmp_path: Path) -> None:
    run = log_run(tmp_path, cronlog([START, *MEMBER, *MEMBER]), "srv00", "srv01")

    assert run.everything() == []


def test_a_run_that_failed_is_quoted(tmp_path: Path) -> None:
    lines = [at("03:31:40", f"line {number}") for number in range(9)]
    run = log_run(tmp_path, cronlog([START, *lines], ended="command exited with code:1"))

    found = run.ask("log_problems")

    assert found.startswith("last run: command exited with code:1\n")
    assert [f"line {n}" in found for n in range(9)] == [False] * 5 + [True] * 4


def test_only_the_last_run_counts(tmp_path: Path) -> None:
    text = cronlog([START], ended="command exited with code:1") + cronlog([START, *MEMBER])

    assert not log_run(tmp_path, text).ask("log_problems")


def test_a_run_that_was_killed_failed(tmp_path: Path) -> None:
    run = log_run(tmp_path, cronlog([START], ended="command died with signal:9"))

    assert "died with signal:9" in run.ask("log_problems")


def test_an_unterminated_last_line_before_the_code_is_understood(tmp_path: Path) -> None:
    run = log_run(tmp_path, cronlog([START, *MEMBER], ended="partialcommand exited with code:0"))

    assert not run.ask("log_problems")


def test_a_run_that_completed_too_few_backups_is_told(tmp_path: Path) -> None:
    run = log_run(tmp_path, cronlog([START, *MEMBER]), "srv00", "srv01")

    assert run.ask("log_problems").startswith("last run: 1 of 2 backups completed")


def test_a_snapshot_that_was_not_removed_is_told(tmp_path: Path) -> None:
    run = log_run(tmp_path, cronlog([START, *MEMBER, MEMBER[0]]))

    assert "2 snapshots made, 1 removed" in run.ask("log_problems")


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        pytest.param([LOCK, unlock("03:36:00")], "", id="four seconds"),
        pytest.param([LOCK, unlock("03:41:00")], "database lock held 304 s", id="five minutes"),
        pytest.param([LOCK], "database lock: no unlock in the last run", id="for ever"),
    ],
)
def test_databases_are_locked_for_seconds_only(tmp_path: Path, lines: list[str], told: str) -> None:
    found = log_run(tmp_path, cronlog([START, *lines, *MEMBER])).ask("log_problems")

    assert found.startswith(told)
    assert bool(found) is bool(told)


def test_iso_timestamps_are_understood(tmp_path: Path) -> None:
    lines = [
        "[2026-01-20T03:35:56+09:00] issuing lock statement",
        "[2026-01-20T03:41:00+09:00] issuing unlock statement",
    ]

    assert "held 304 s" in log_run(tmp_path, cronlog([*lines, *MEMBER])).ask("log_problems")


GOES_ON = cronlog([START, *MEMBER], [at("11:20:00", "creating snapshot...")], ended="")


def test_a_run_that_goes_on_while_its_lock_is_held_is_not_judged(tmp_path: Path) -> None:
    lock = tmp_path / "backup.lock"
    run = log_run(tmp_path, GOES_ON, lock=lock)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)

        assert not run.ask("log_problems")
        assert run.ask("log_problems", NOW + 6 * HOUR).startswith("last run: not over after 6 h")


def test_a_run_without_an_end_and_without_its_lock_has_died(tmp_path: Path) -> None:
    run = log_run(tmp_path, GOES_ON, lock=tmp_path / "backup.lock")

    assert run.ask("log_problems").startswith("last run: died without a last line, lock free")


def test_a_database_that_is_locked_just_now_is_told(tmp_path: Path) -> None:
    text = cronlog([START, at("11:58:00", "issuing lock statement")], ended="")

    assert "issued 2 min ago" in log_run(tmp_path, text).ask("log_problems")


def test_a_run_without_a_known_lock_is_given_its_time(tmp_path: Path) -> None:
    run = log_run(tmp_path, GOES_ON)

    assert not run.ask("log_problems")
    assert run.ask("log_problems", NOW + timedelta(hours=6))


def test_a_missing_log_is_told(tmp_path: Path) -> None:
    run = log_run(tmp_path, "")
    (tmp_path / "backup.log").unlink()

    assert "does not exist: has no backup run?" in run.ask("log_problems")


@pytest.mark.parametrize("name", ["backup.log.1", "backup.log.1.gz"])
def test_a_log_that_was_just_rotated_is_found(tmp_path: Path, name: str) -> None:
    run = log_run(tmp_path, "")
    text = cronlog([START], ended="command exited with code:5").encode()
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)

    assert "code:5" in run.ask("log_problems")


def test_of_a_huge_log_only_the_end_is_read(tmp_path: Path) -> None:
    run = log_run(tmp_path, "")
    log = tmp_path / "backup.log"
    with log.open("wb") as file:
        file.truncate(5 << 30)
        file.seek(0, 2)
        file.write(("\n" + cronlog([START, *MEMBER])).encode())
    touch(log, NOW)

    assert not run.ask("log_problems")


def test_the_message_about_a_late_member_needs_no_log(tmp_path: Path) -> None:
    block_set(tmp_path, "srv00-202601", newest=3 * 24 * HOUR)

    assert block_run(tmp_path).ask("late_members").startswith("srv00: last good 3 d ago")

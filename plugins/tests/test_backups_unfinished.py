"""Dumps that are being written, hang, or were never finished."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest
from backup_sets import HOUR, NOW, USUAL, archive, dump, dump_run, dumps, touch

MINUTE = HOUR / 60


def test_a_clock_that_is_a_little_ahead_is_no_future(tmp_path: Path) -> None:
    dumps(tmp_path)
    dump(tmp_path, "app", -3 * MINUTE)

    assert not dump_run(tmp_path).everything()


def test_a_dump_that_is_being_written_is_not_judged(tmp_path: Path) -> None:
    """The one before it is; the log says so."""
    dumps(tmp_path, newest=11 * HOUR)
    growing = dump(tmp_path, "app", MINUTE / 3, b"PGDMP")
    run = dump_run(tmp_path)

    assert not run.everything()
    assert f"{growing.name} is not judged: it was written to just now" in run.notes


def test_a_dump_that_was_never_finished_is_a_stuck_export(tmp_path: Path) -> None:
    """It lacks the end that all others have, and nobody has it open."""
    dumps(tmp_path, newest=11 * HOUR)
    stuck = dump(tmp_path, "app", 3 * HOUR, archive()[:-5])
    run = dump_run(tmp_path)

    assert run.everything() == [run.ask("leftovers")]
    assert run.ask("leftovers").startswith(f"stuck export: {stuck.name}")


def test_an_unfinished_dump_is_quietly_waited_for(tmp_path: Path) -> None:
    dumps(tmp_path, newest=11 * HOUR)
    dump(tmp_path, "app", HOUR, archive()[:-5])

    assert not dump_run(tmp_path).everything()


def test_an_unfinished_dump_makes_nobody_fresh(tmp_path: Path) -> None:
    dumps(tmp_path, newest=14 * HOUR)
    dump(tmp_path, "app", 3 * HOUR, archive()[:-5])

    assert "its end is missing" in dump_run(tmp_path).ask("late_members")


def test_an_end_that_no_dump_of_the_member_has_is_not_missed(tmp_path: Path) -> None:
    """Files of another program may begin like archives and end in their own way."""
    for number in range(14):
        dump(tmp_path, "app", 2 * HOUR + 12 * HOUR * number, b"PGDMP" + b"x" * USUAL)

    assert not dump_run(tmp_path).everything()


def test_a_small_file_that_a_process_has_open_is_not_judged(tmp_path: Path) -> None:
    dumps(tmp_path, newest=11 * HOUR)
    small = dump(tmp_path, "app", HOUR, b"")
    with small.open("ab"):
        assert not dump_run(tmp_path).everything()

    assert dump_run(tmp_path).ask("damaged_sets")


def test_a_small_file_is_not_judged_while_the_lock_is_held(tmp_path: Path) -> None:
    dumps(tmp_path, newest=11 * HOUR)
    dump(tmp_path, "app", HOUR, b"")
    lock = tmp_path / "lock"
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert not dump_run(tmp_path, lock=lock).everything()

    assert dump_run(tmp_path, lock=lock).ask("damaged_sets")


def test_a_file_held_open_for_hours_is_a_stuck_export(tmp_path: Path) -> None:
    dumps(tmp_path, newest=11 * HOUR)
    small = dump(tmp_path, "app", 3 * HOUR, b"PGDMP")
    with small.open("ab"):
        found = dump_run(tmp_path).everything()

    assert len(found) == 1
    assert f"unchanged for 3 h (limit 2 h), process {os.getpid()} has it open" in found[0]


@pytest.mark.parametrize("name", ["{}.part", "{}.tmp", ".{}.x9Y8z7"])
def test_a_file_named_as_unfinished_counts_for_nothing(tmp_path: Path, name: str) -> None:
    """Not as a fresh backup, and, after two hours, as a stuck one."""
    dumps(tmp_path, newest=14 * HOUR)
    partial = dump(tmp_path, "app", 3 * HOUR)
    partial = touch(partial.rename(tmp_path / name.format(partial.name)), NOW - 3 * HOUR)
    run = dump_run(tmp_path)

    assert run.ask("late_members").startswith("app: last backup 14 h ago")
    assert run.ask("leftovers").startswith(f"stuck export: {partial.name}")


def test_plain_sql_that_lost_its_last_comment_is_stuck(tmp_path: Path) -> None:
    dump(tmp_path, "app", 3 * HOUR, b"--\n-- PostgreSQL database dump\n--\nCOPY t", suffix=".sql")

    assert "its end is missing" in dump_run(tmp_path).ask("leftovers")

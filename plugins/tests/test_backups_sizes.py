"""Sizes: what is far from usual, and how a new size becomes the usual one."""

from __future__ import annotations

from pathlib import Path

import pytest
from backup_sets import DAY, HOUR, USUAL, dump, dump_run, dumps


def test_a_newest_dump_far_under_the_usual_size_has_shrunk(tmp_path: Path) -> None:
    dumps(tmp_path, newest=12 * HOUR)
    dump(tmp_path, "app", HOUR, 300)

    shrunk = dump_run(tmp_path).ask("shrunk")

    assert shrunk.startswith("app: 0.1 % of usual (limit 50 %)")


def test_a_small_dump_that_was_cleared_away_is_told_no_longer(tmp_path: Path) -> None:
    dumps(tmp_path, newest=12 * HOUR)
    small = dump(tmp_path, "app", HOUR, 300)
    run = dump_run(tmp_path)
    assert run.ask("shrunk")
    small.unlink()

    assert not run.ask("shrunk")


@pytest.mark.parametrize(("percent", "told"), [(50, False), (49, True)])
def test_half_of_the_usual_size_is_enough(tmp_path: Path, percent: int, told: bool) -> None:
    dumps(tmp_path, newest=12 * HOUR)
    dump(tmp_path, "app", HOUR, USUAL * percent // 100)

    assert bool(dump_run(tmp_path).ask("shrunk")) is told


def test_one_small_dump_is_told_although_another_member_has_grown(tmp_path: Path) -> None:
    for member in ("app", "wiki"):
        dumps(tmp_path, member, newest=12 * HOUR)
    dump(tmp_path, "app", HOUR, 300)
    dump(tmp_path, "wiki", HOUR, 2 * USUAL)

    assert dump_run(tmp_path, "app", "wiki").ask("shrunk").startswith("app: ")


def test_a_newest_dump_far_over_the_usual_size_is_a_warning(tmp_path: Path) -> None:
    dumps(tmp_path, newest=12 * HOUR)
    dump(tmp_path, "app", HOUR, 8 * USUAL)
    run = dump_run(tmp_path)

    assert run.everything() == [run.ask("grown")]
    assert run.ask("grown").startswith("app: 800 % of usual (limit 300 %)")


def test_a_new_database_may_grow_from_nothing(tmp_path: Path) -> None:
    dump(tmp_path, "app", 13 * HOUR, 300)
    dump(tmp_path, "app", HOUR, USUAL)

    assert not dump_run(tmp_path).everything()


def test_a_new_size_is_the_usual_one_after_three_backups(tmp_path: Path) -> None:
    dumps(tmp_path, newest=3 * DAY)
    small = [dump(tmp_path, "app", 40 * HOUR - 12 * HOUR * number, 300) for number in range(4)]

    assert small
    assert not dump_run(tmp_path).ask("shrunk")


def test_a_purge_can_be_accepted_at_once(tmp_path: Path) -> None:
    dumps(tmp_path, newest=12 * HOUR)
    dump(tmp_path, "app", HOUR, 300)

    assert not dump_run(tmp_path, accepted_since="2026-01-20 10:00").ask("shrunk")

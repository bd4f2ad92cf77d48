"""A folder of dumps: who is late, what is broken, and what nobody has configured."""

from __future__ import annotations

from pathlib import Path

import pytest
from backup_sets import DAY, HOUR, NOW, USUAL, dump, dump_run, dumps, touch


def test_a_good_folder_is_silent_in_every_run(tmp_path: Path) -> None:
    dumps(tmp_path)
    run = dump_run(tmp_path)

    assert run.everything() == run.everything() == []


def test_a_member_without_a_young_backup_is_late(tmp_path: Path) -> None:
    dumps(tmp_path, newest=14 * HOUR)

    late = dump_run(tmp_path).ask("late_members")

    assert late.startswith("app: last backup 14 h ago (limit 13 h)")


def test_a_backup_as_old_as_the_limit_is_late(tmp_path: Path) -> None:
    dumps(tmp_path, newest=13 * HOUR)

    assert dump_run(tmp_path).ask("late_members")


def test_only_the_member_that_lacks_a_fresh_dump_is_named(tmp_path: Path) -> None:
    for member in ("app", "blog"):
        dumps(tmp_path, member)
    dumps(tmp_path, "wiki", newest=3 * DAY)

    late = dump_run(tmp_path, "app", "blog", "wiki").ask("late_members")

    assert late.startswith("wiki: last backup 3 d ago")
    assert "app" not in late.splitlines()[0]
    assert "blog" not in late


def test_a_member_whose_name_begins_another_is_not_taken_for_it(tmp_path: Path) -> None:
    dumps(tmp_path, "app_admin")

    late = dump_run(tmp_path, "app", "app_admin").ask("late_members")

    assert late.startswith("app: no backup at all")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        pytest.param(b"", "0 bytes", id="empty"),
        pytest.param(b"pg_dump: error: connection failed" * 9000, "no dump", id="a message"),
        pytest.param(bytes(USUAL), "no dump", id="zeros"),
    ],
)
def test_a_newest_file_that_is_no_dump_is_damaged(
    tmp_path: Path, content: bytes, what: str
) -> None:
    dumps(tmp_path, newest=12 * HOUR)
    broken = dump(tmp_path, "app", HOUR, content)

    damaged = dump_run(tmp_path).ask("damaged_sets")

    assert damaged.startswith(f"{broken.name}: ")
    assert what in damaged


def test_a_broken_file_does_not_make_its_member_fresh(tmp_path: Path) -> None:
    dumps(tmp_path, newest=15 * HOUR)
    broken = dump(tmp_path, "app", HOUR, b"")

    late = dump_run(tmp_path).ask("late_members")

    assert late.startswith("app: last backup 15 h ago")
    assert f"newer: {broken.name}: 0 bytes" in late


def test_a_broken_file_is_forgotten_after_the_next_good_one(tmp_path: Path) -> None:
    dumps(tmp_path)
    dump(tmp_path, "app", 8 * HOUR, b"")

    assert not dump_run(tmp_path).ask("damaged_sets")


def test_a_dump_from_the_future_is_told_and_makes_nobody_fresh(tmp_path: Path) -> None:
    dumps(tmp_path, newest=14 * HOUR)
    early = dump(tmp_path, "app", -2 * DAY)

    late = dump_run(tmp_path).ask("late_members")

    assert f"{early.name}: dated 2 d in the future" in late
    assert "app: last backup 14 h ago" in late


def test_a_member_that_nobody_configured_is_told(tmp_path: Path) -> None:
    dumps(tmp_path)
    dumps(tmp_path, "shop")

    assert dump_run(tmp_path).ask("leftovers").startswith("shop: has backups and is not among")
    assert not dump_run(tmp_path, ignore=("shop",)).everything()


def test_old_files_of_a_member_that_was_removed_are_left_to_retention(tmp_path: Path) -> None:
    dumps(tmp_path)
    dumps(tmp_path, "shop", newest=30 * HOUR, number=5)

    assert not dump_run(tmp_path).everything()


def test_a_copy_without_its_time_looks_fresh_and_is_told(tmp_path: Path) -> None:
    files = dumps(tmp_path, newest=3 * DAY)
    touch(files[0], NOW - HOUR)

    assert "name and time are 2 d 23 h apart (limit 2 h)" in dump_run(tmp_path).ask("leftovers")


def test_names_in_the_zone_of_the_writer_are_understood(tmp_path: Path) -> None:
    touch(dump(tmp_path, "app", -7 * HOUR), NOW - 2 * HOUR)

    assert dump_run(tmp_path, zone="UTC").ask("leftovers")
    assert not dump_run(tmp_path, zone="Asia/Tokyo").ask("leftovers")


def test_other_files_and_folders_are_nobodys_business(tmp_path: Path) -> None:
    newest = dumps(tmp_path)[0]
    (tmp_path / "lost+found").mkdir()
    (tmp_path / "README").write_text("read me")
    (tmp_path / f"{newest.name}.sha256").write_text("0000")

    assert not dump_run(tmp_path).everything()


def test_several_kinds_of_dump_of_one_member_are_compared_among_themselves(
    tmp_path: Path,
) -> None:
    dumps(tmp_path)
    for number in range(14):
        text = b"-- PostgreSQL database dump\n-- PostgreSQL database dump complete\n"
        dump(tmp_path, "app", HOUR + 12 * HOUR * number, text, suffix=".sql")

    assert not dump_run(tmp_path).everything()


def test_a_pattern_of_ones_own_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "2026-01-20-app.bin"
    path.write_bytes(b"anything")
    touch(path, NOW - HOUR)
    run = dump_run(
        tmp_path,
        pattern=r"(?P<time>[\d-]{10})-(?P<member>\w+)(?P<suffix>\.bin)",
        time_format="%Y-%m-%d",
    )

    assert not run.ask("late_members")


def test_settings_that_make_no_sense_name_their_key(tmp_path: Path) -> None:
    for wrong, key in [
        ({"members": ()}, "members"),
        ({"members": ("app", "app")}, "members"),
        ({"pattern": "("}, "pattern"),
        ({"pattern": r"(?P<member>.+)"}, "pattern"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"accepted_since": "yesterday"}, "accepted_since"),
        ({"min_percent": 150}, "min_percent"),
        ({"max_percent": 50}, "max_percent"),
        ({"max_age": 0 * HOUR}, "max_age"),
    ]:
        run = dump_run(tmp_path)
        run.settings.update(wrong)
        with pytest.raises(ValueError, match=f"^{key}: "):
            run.ask("late_members")

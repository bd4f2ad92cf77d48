"""The parts of a set: what is missing, and what does not fit together."""

from __future__ import annotations

import gzip
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from backup_sets import DAY, HOUR, NOW, block_run, block_set, touch

NAME = "srv00-pv-lv-202601"


@pytest.mark.parametrize("rest", ["2.md5", "2.gz"])
def test_a_missing_file_of_a_version_is_named(tmp_path: Path, rest: str) -> None:
    block_set(tmp_path, NAME).path(rest).unlink()

    damaged = block_run(tmp_path).ask("damaged_sets")

    assert damaged.startswith(f"{NAME}.{rest.removesuffix('.gz')}")
    assert "missing" in damaged


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (b"3", "'3'"),
        (b"03\n", "'03\\n'"),
        (b"three\n", "'three\\n'"),
        (b"", "empty"),
        (b"3\n4\n", "'3\\n4\\n'"),
    ],
)
def test_a_version_that_is_no_number_is_damaged(tmp_path: Path, text: bytes, what: str) -> None:
    block_set(tmp_path, NAME).path("ver").write_bytes(text)

    assert block_run(tmp_path).ask("damaged_sets").startswith(f"{NAME}.ver is {what}")


def test_a_version_that_is_just_being_written_is_waited_for(tmp_path: Path) -> None:
    """The writer empties the file before it writes the number."""
    writer = block_set(tmp_path, NAME, versions=4)
    writer.path("ver").write_bytes(b"")
    waiting = threading.Timer(0.3, lambda: writer.path("ver").write_text("4\n"))
    waiting.start()

    assert block_run(tmp_path).ask("damaged_sets") == ""
    waiting.join()


def test_a_version_beyond_all_files_shows_the_first_that_is_missing(tmp_path: Path) -> None:
    block_set(tmp_path, NAME).path("ver").write_text("999999\n")

    damaged = block_run(tmp_path).ask("damaged_sets")

    assert f"{NAME}.4.md5 is missing" in damaged
    assert len(damaged.splitlines()) < 10


def test_a_lost_version_file_is_told(tmp_path: Path) -> None:
    block_set(tmp_path, NAME).path("ver").unlink()

    assert f"{NAME}.ver is missing" in block_run(tmp_path).ask("damaged_sets")


def test_two_data_files_of_a_version_are_one_too_many(tmp_path: Path) -> None:
    writer = block_set(tmp_path, NAME)
    touch(writer.path("2.gz"), NOW - 2 * DAY)
    writer.path("2.lzop").write_bytes(b"x")

    assert f"{NAME}.2 has 2 data files" in block_run(tmp_path).ask("damaged_sets")


def test_checksums_of_a_wrong_length_are_damaged(tmp_path: Path) -> None:
    path = block_set(tmp_path, NAME).path("2.md5")
    os.truncate(path, path.stat().st_size - 1)

    assert f"{NAME}.2.md5: " in block_run(tmp_path).ask("damaged_sets")


def test_data_and_checksums_of_different_block_sizes_do_not_fit(tmp_path: Path) -> None:
    writer = block_set(tmp_path, NAME)
    writer.path("3.gz").write_bytes(gzip.compress((4096).to_bytes(4, "little")))
    touch(writer.path("3.gz"), NOW - 8 * HOUR)

    damaged = block_run(tmp_path).ask("damaged_sets")

    assert damaged.startswith(f"{NAME}.3.gz has blocks of 4096 bytes, its .md5 of 1024")


def test_data_that_is_not_compressed_is_a_valid_set(tmp_path: Path) -> None:
    writer = block_set(tmp_path, NAME)
    for number in (1, 2, 3):
        path = writer.path(f"{number}.gz")
        at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        writer.path(str(number)).write_bytes(gzip.decompress(path.read_bytes()))
        touch(writer.path(str(number)), at)
        path.unlink()
    run = block_run(tmp_path)

    assert run.everything() == []
    assert run.ask("unrestorable") == run.ask("unmergeable") == ""


def test_a_version_that_is_younger_than_the_next_does_not_fit(tmp_path: Path) -> None:
    touch(block_set(tmp_path, NAME).path("1.gz"), NOW - HOUR)

    assert f"{NAME}.1 was written after version 2" in block_run(tmp_path).ask("damaged_sets")

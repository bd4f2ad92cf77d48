"""Blocks and their checksums, sizes of full backups and of increments."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

from backup_sets import DAY, HOUR, NOW, BlockWriter, block_run, block_set, touch

NAME = "srv00-pv-lv-202601"


GIB = 1 << 30


def test_an_increment_that_is_smaller_than_the_full_backup_has_not_shrunk(tmp_path: Path) -> None:
    """46.8 GiB, then 10.2: sparse files, of which only the first bytes are read."""
    writer = block_set(tmp_path, NAME, versions=2)
    for rest, size in (("1.gz", 46.8), ("2.gz", 10.2)):
        at = writer.path(rest).stat().st_mtime
        os.truncate(writer.path(rest), int(size * GIB))
        os.utime(writer.path(rest), (at, at))

    assert block_run(tmp_path).everything() == []


def three_months(folder: Path, size: int) -> None:
    """Write three months, of which the last one's full backup has `size` random bytes."""
    for month, volume, age in (("202511", 90_000, 60), ("202512", 90_000, 30), ("202601", size, 1)):
        writer = BlockWriter(folder, f"srv00-{month}", os.urandom(volume))
        writer.write(NOW - age * DAY)


def test_a_full_backup_is_compared_with_those_of_the_months_before(tmp_path: Path) -> None:
    three_months(tmp_path, 30_000)

    assert block_run(tmp_path).ask("shrunk").startswith("srv00-202601.1.gz: 33 % of usual")


def test_a_much_larger_full_backup_is_a_warning(tmp_path: Path) -> None:
    three_months(tmp_path, 90_000)
    writer = BlockWriter(tmp_path, "srv00-202510", os.urandom(90_000))
    writer.write(NOW - 90 * DAY)
    writer = BlockWriter(tmp_path, "srv00-202601", os.urandom(400_000))
    writer.write(NOW - HOUR)

    assert block_run(tmp_path).ask("grown").startswith("srv00-202601.1.gz: 444 % of usual")


def test_a_much_larger_increment_is_a_warning(tmp_path: Path) -> None:
    writer = BlockWriter(tmp_path, NAME, os.urandom(100_000))
    for number in range(6):
        writer.change(number)
        writer.write(NOW - DAY * (6 - number))
    writer.write(NOW - HOUR, volume=os.urandom(60_000) + writer.volume[60_000:])

    assert block_run(tmp_path).ask("grown").startswith(f"{NAME}.7.gz: ")


def test_a_damaged_gzip_member_is_found_by_reading_only(tmp_path: Path) -> None:
    path = block_set(tmp_path, NAME).path("3.gz")
    content = bytearray(path.read_bytes())
    content[-20] ^= 0xFF
    path.write_bytes(content)
    touch(path, NOW - 8 * HOUR)
    run = block_run(tmp_path)

    assert run.everything() == []
    assert run.ask("unrestorable").startswith(f"{NAME}.3: cannot be restored\n  gzip: ")


def test_a_block_that_is_not_what_its_checksum_says_is_found(tmp_path: Path) -> None:
    writer = block_set(tmp_path, NAME)
    data = bytearray(gzip.decompress(writer.path("3.gz").read_bytes()))
    data[-1] ^= 0xFF
    writer.path("3.gz").write_bytes(gzip.compress(data))

    found = block_run(tmp_path).ask("unrestorable")

    assert "1 of 10 blocks are not what" in found
    assert found.splitlines()[1].endswith(f"{NAME}.3.md5 says: 2")


def test_a_chain_with_a_broken_link_does_not_add_up(tmp_path: Path) -> None:
    """The newest version alone looks good."""
    writer = block_set(tmp_path, NAME)
    writer.path("2.gz").write_bytes(gzip.compress((1024).to_bytes(4, "little")))
    touch(writer.path("2.gz"), NOW - 32 * HOUR)
    run = block_run(tmp_path)

    assert run.ask("unrestorable") == ""
    assert "1 of 10 blocks are not what" in run.ask("unmergeable")


def test_a_full_backup_that_lacks_blocks_cannot_be_restored(tmp_path: Path) -> None:
    writer = block_set(tmp_path, NAME, versions=1)
    data = gzip.decompress(writer.path("1.gz").read_bytes())
    writer.path("1.gz").write_bytes(gzip.compress(data[: -(1024 + 8)]))

    assert "1 of 10 blocks" in block_run(tmp_path).ask("unrestorable")


def test_data_that_ends_within_a_block_cannot_be_restored(tmp_path: Path) -> None:
    writer = block_set(tmp_path, NAME, versions=1)
    data = gzip.decompress(writer.path("1.gz").read_bytes())
    writer.path("1.gz").write_bytes(gzip.compress(data[:-1030]))

    assert "ends in the middle of a block" in block_run(tmp_path).ask("unrestorable")


def test_a_volume_whose_last_block_is_short_adds_up(tmp_path: Path) -> None:
    writer = BlockWriter(tmp_path, NAME, os.urandom(200_000), block_size=16_384)
    writer.write(NOW - 9 * HOUR)
    writer.change(12)
    writer.write(NOW - 8 * HOUR)
    run = block_run(tmp_path)

    assert writer.path("2.md5").stat().st_size == 212
    assert run.ask("unrestorable") == run.ask("unmergeable") == ""

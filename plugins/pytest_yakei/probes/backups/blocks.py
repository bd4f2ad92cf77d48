"""Reads the blocks of a set and compares each with its checksum, without merging to a disk.

A data file is the block size (4 bytes), then for each changed block its offset in the volume
(8 bytes) and its content; only the volume's last block may be shorter. A checksum file is the block
size and the MD5 of every block. All numbers are little-endian.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import IO

from pytest_yakei.probes.backups.blockset import BLOCK_SIZE_BYTES, DIGEST_BYTES, BlockSet
from pytest_yakei.probes.backups.listing import Entry, open_untouched
from pytest_yakei.probes.backups.readers import Unreadable, output_of

OFFSET_BYTES = 8
LARGEST_BLOCK = 1 << 30
"""Bytes: blockdiff's own blocks are 16 KiB or 1 MiB; far more is garbage, not a block size."""
SHOWN = 5
_PROGRAMS = {".gz": "gzip", ".lzop": "lzop", ".lzo": "lzop", ".zst": "zstd"}


def verify_version(one: BlockSet, number: int, timeout: timedelta) -> None:
    """Read one version to its end; each block in it must have the checksum of its version.

    Raises:
        CannotTell: the program that decompresses it is not installed.
        OSError: a file cannot be opened.
        Unreadable: it is damaged; the text names the blocks.
    """
    data, sums = _parts(one, number)
    expected, found = checksums(sums), dict(digests(data, timeout))
    required = range(len(expected)) if number == 1 else found
    _compare(one, number, expected, {block: found.get(block) for block in required})


def verify_chain(one: BlockSet, timeout: timedelta) -> None:
    """Read all versions as a restore would; what results must be what the last one describes.

    Raises:
        CannotTell: the program that decompresses them is not installed.
        OSError: a file cannot be opened.
        Unreadable: a version is damaged, or blocks are not what they were.
    """
    merged: dict[int, bytes] = {}
    for number in range(1, one.version + 1):
        merged.update(digests(_parts(one, number)[0], timeout))
    expected = checksums(_parts(one, one.version)[1])
    _compare(one, one.version, expected, {i: merged.get(i) for i in range(len(expected))})


def _parts(one: BlockSet, number: int) -> tuple[Entry, Entry]:
    """Return the data and the checksums of a version.

    Raises:
        Unreadable: one of them is missing.
    """
    if number not in one.data or number not in one.sums:
        raise Unreadable(f"{one.name}.{number}: a file is missing")
    return one.data[number][0], one.sums[number]


def checksums(sums: Entry) -> list[bytes]:
    """Return the checksum of each block of the volume.

    Raises:
        OSError: the file cannot be read.
    """
    with open_untouched(sums.path) as descriptor, open(descriptor, "rb", closefd=False) as file:
        content = file.read()[BLOCK_SIZE_BYTES:]
    return [content[at : at + DIGEST_BYTES] for at in range(0, len(content), DIGEST_BYTES)]


def digests(data: Entry, timeout: timedelta) -> Iterator[tuple[int, bytes]]:
    """Yield number and checksum of each block in a data file.

    Raises:
        CannotTell: the program that decompresses it is not installed.
        OSError: the file cannot be opened.
        Unreadable: it cannot be read to its end.
    """
    with _content(data, timeout) as stream:
        size = int.from_bytes(stream.read(BLOCK_SIZE_BYTES), "little")
        if size > LARGEST_BLOCK:
            raise Unreadable(f"{data.name}: a block size of {size} bytes")
        offset, block = stream.read(OFFSET_BYTES), stream.read(size)
        while len(offset) == OFFSET_BYTES and block:
            md5 = hashlib.md5(block, usedforsecurity=False)
            yield int.from_bytes(offset, "little") // size, md5.digest()
            offset, block = stream.read(OFFSET_BYTES), stream.read(size)
    # Only now: if the program has failed, its own words are better than ours.
    if offset or not size:
        raise Unreadable(f"{data.name} ends in the middle of a block")


def _content(data: Entry, timeout: timedelta) -> AbstractContextManager[IO[bytes]]:
    """Return the decompressed content of a data file."""
    program = _PROGRAMS.get(data.path.suffix)
    return output_of([program, "-dc"] if program else ["cat"], timeout, path=data.path)


def _compare(
    one: BlockSet, number: int, expected: list[bytes], found: dict[int, bytes | None]
) -> None:
    """Raise Unreadable if blocks are missing or have other checksums than the version's."""
    known = len(expected)
    wrong = [block for block, md5 in found.items() if block >= known or md5 != expected[block]]
    if wrong:
        shown = ", ".join(str(block) for block in sorted(wrong)[:SHOWN])
        raise Unreadable(
            f"{len(wrong)} of {known} blocks are not what {one.name}.{number}.md5 says: {shown}"
        )

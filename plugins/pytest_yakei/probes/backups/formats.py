"""Tells from first and last bytes what kind of dump a file is, and whether its end is there."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path

from pytest_yakei.probes.backups.listing import read_head, read_tail


class Format(Enum):
    """What the first bytes of a file, or the table of contents of a folder, say that it is."""

    CUSTOM = "pg_dump -Fc"
    FOLDER = "pg_dump -Fd"
    TAR = "tar"
    SQL = "SQL"
    GZIP = "gzip"
    ZSTD = "zstd"
    XZ = "xz"
    BZIP2 = "bzip2"
    UNKNOWN = "unknown"


_MAGIC = (
    (b"PGDMP", Format.CUSTOM),
    (b"\x1f\x8b", Format.GZIP),
    (b"\x28\xb5\x2f\xfd", Format.ZSTD),
    (b"\xfd7zXZ\x00", Format.XZ),
    (b"BZh", Format.BZIP2),
)
_TAR_MAGIC_AT, _TAR_MAGIC = 257, b"ustar"
_HEAD, _TAIL = 4096, 4096
"""Bytes to look at: a header with some licence text, a trailer with some settings after it."""
_EXPECTED = {
    ".gz": Format.GZIP,
    ".tgz": Format.GZIP,
    ".zst": Format.ZSTD,
    ".xz": Format.XZ,
    ".bz2": Format.BZIP2,
    ".tar": Format.TAR,
    ".sql": Format.SQL,
}
_DUMPS = frozenset({Format.CUSTOM, Format.FOLDER, Format.TAR, Format.SQL, Format.GZIP, Format.ZSTD})
CUSTOM_END = bytes(5)
"""The last thing of a custom archive: an integer 0 (a sign byte and four others), which ends the
last table's data; the end of an archive without data is zeros as well."""
_SQL_BEGINS = re.compile(
    rb"\s*(--|/\*|\\restrict|CREATE|SET|INSERT|BEGIN|DROP|SELECT|COPY)", re.IGNORECASE
)
_SIGNED = re.compile(rb"^-- (PostgreSQL database|MySQL dump|MariaDB dump)", re.MULTILINE)
"""How the dump programs begin their SQL, unless they were told to write no comments."""
_TRAILER = re.compile(
    rb"^-- (PostgreSQL database( cluster)? dump complete|Dump completed)", re.MULTILINE
)
"""Not the last line: since PostgreSQL 15.14 a line `\\unrestrict …` follows it."""


def recognise(path: Path, *, is_folder: bool) -> Format:
    """Return the format of a backup.

    Raises:
        OSError: it cannot be read.
    """
    if is_folder:
        toc = path / "toc.dat"
        is_dump = toc.exists() and read_head(toc, 5) == _MAGIC[0][0]
        return Format.FOLDER if is_dump else Format.UNKNOWN
    return recognise_head(read_head(path, _HEAD))


def recognise_head(head: bytes) -> Format:
    """Return the format that a file with these first bytes has."""
    for magic, known in _MAGIC:
        if head.startswith(magic):
            return known
    if head[_TAR_MAGIC_AT:].startswith(_TAR_MAGIC):
        return Format.TAR
    return Format.SQL if _SQL_BEGINS.match(head) else Format.UNKNOWN


def mismatch(suffix: str, found: Format) -> str:
    """Return what is wrong with a backup of this suffix that begins like this, or "".

    A `.dump` may be any dump; of a suffix that says nothing, such as `.gpg`, nothing is asked.
    """
    if suffix.endswith((".dump", ".pgdump")):
        return "" if found in _DUMPS else "begins like no dump (no PGDMP, SQL, tar or gzip)"
    expected = _EXPECTED.get(f".{suffix.rpartition('.')[2]}", found)
    return "" if found is expected else f"begins like no {expected.value} file"


def has_end(path: Path, found: Format) -> bool | None:
    """Return whether the end of the dump is there; None where its last bytes do not tell.

    Raises:
        OSError: it cannot be read.
    """
    if found is Format.CUSTOM:
        return read_tail(path, len(CUSTOM_END)) == CUSTOM_END
    if found is Format.SQL and is_signed(read_head(path, _HEAD)):
        return has_trailer(read_tail(path, _TAIL))
    return None


def is_signed(head: bytes) -> bool:
    """Return whether SQL begins with its dump program's name; it then signs the end as well."""
    return bool(_SIGNED.search(head))


def has_trailer(tail: bytes) -> bool:
    """Return whether the dump program's last comment is among the last bytes."""
    return bool(_TRAILER.search(tail))

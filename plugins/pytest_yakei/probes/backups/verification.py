"""Reads backups from end to end, as a restore would."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from pytest_yakei.errors import CannotTell
from pytest_yakei.findings import Findings
from pytest_yakei.probes.backups.advice import told
from pytest_yakei.probes.backups.formats import (
    CUSTOM_END,
    Format,
    has_end,
    has_trailer,
    is_signed,
    recognise,
    recognise_head,
)
from pytest_yakei.probes.backups.listing import cannot_read, read_tail
from pytest_yakei.probes.backups.readers import CHUNK, Unreadable, output_of, run
from pytest_yakei.probes.backups.series import Backup

HEAD = 4096
"""Bytes of the content that tell what it is."""
TAR_END = bytes(1024)
"""Two empty blocks end a tar archive: GNU tar itself does not miss them."""
NO_TRAILER = "the dump was cut short: its program's last comment is missing"
_DECOMPRESS = {
    Format.GZIP: ("gzip", "-dc"),
    Format.ZSTD: ("zstd", "-dcq"),
    Format.XZ: ("xz", "-dc"),
    Format.BZIP2: ("bzip2", "-dc"),
}


def verified(backups: Sequence[Backup], timeout: timedelta) -> Findings:
    """Return the backups that cannot be read to their end.

    Args:
        backups: what to read.
        timeout: for each of them: pg_restore spins for ever on a truncated tar.

    Raises:
        CannotTell: nothing is wrong, and something could not be judged (no program, no right).
    """
    damaged, hidden = [], []
    for backup in backups:
        try:
            verify(backup.path, timeout, is_folder=backup.is_folder)
        except Unreadable as error:
            damaged.append(f"{backup.name}: cannot be restored\n  {error}\n  {backup.path}")
        except CannotTell as error:
            hidden.append(f"{backup.name}: {error}")
    return told(damaged, hidden, ["try the one before it: pg_restore -f /dev/null FILE"])


def verify(path: Path, timeout: timedelta, *, is_folder: bool = False) -> None:
    """Read a backup from end to end; of a format that nobody knows, nothing is asked.

    Raises:
        CannotTell: it cannot be opened, or the program that reads it is missing or too old.
        Unreadable: it is damaged; the text says how that shows.
    """
    try:
        found = recognise(path, is_folder=is_folder)
        if found in _DECOMPRESS:
            _verify_compressed(path, _DECOMPRESS[found], timeout)
        elif found in _READERS:
            _READERS[found](path, timeout)
        elif not is_folder and path.stat().st_size == 0:
            raise Unreadable("0 bytes")
    except OSError as error:
        raise CannotTell(cannot_read(path, error)) from None


def _verify_archive(path: Path, timeout: timedelta) -> None:
    """Let pg_restore read everything; its listing would be content with the first few bytes.

    A folder cannot be handed over as input, so the access times of its files do change.
    """
    program = ["pg_restore", "-f", "/dev/null"]
    try:
        if path.is_dir():
            run([*program, str(path)], timeout)
        else:
            run(program, timeout, path=path)
    except Unreadable as error:
        if "unsupported version" in str(error):
            raise CannotTell(f"{error}; install the client of the server's version") from None
        raise


def _verify_tar(path: Path, timeout: timedelta) -> None:
    """Let tar read the archive before pg_restore does, which never ends on half of one."""
    with output_of(["tar", "-tf", "-"], timeout, path=path) as names:
        first = names.readline()
        while names.read(CHUNK):
            pass
    if read_tail(path, len(TAR_END)) != TAR_END:
        raise Unreadable("the archive was cut short: its two last blocks are missing")
    if first == b"toc.dat\n":
        _verify_archive(path, timeout)


def _verify_sql(path: Path, _timeout: timedelta) -> None:
    """Look for the comment that ends the SQL of a dump program."""
    if has_end(path, Format.SQL) is False:
        raise Unreadable(NO_TRAILER)


def _verify_compressed(path: Path, program: Sequence[str], timeout: timedelta) -> None:
    """Decompress everything, and look at the end of what comes out.

    Of `pg_dump | gzip` the file is whole although pg_dump was killed: gzip saw a proper end.
    """
    with output_of(program, timeout, path=path) as output:
        head = tail = output.read(HEAD)
        while piece := output.read(CHUNK):
            tail = (tail + piece)[-HEAD:]
    content = recognise_head(head)
    if content is Format.SQL and is_signed(head) and not has_trailer(tail):
        raise Unreadable(NO_TRAILER)
    if content is Format.TAR and not tail.endswith(TAR_END):
        raise Unreadable("the tar archive in it was cut short")
    if content is Format.CUSTOM and not tail.endswith(CUSTOM_END):
        raise Unreadable("the archive in it was cut short")


_READERS: dict[Format, Callable[[Path, timedelta], None]] = {
    Format.CUSTOM: _verify_archive,
    Format.FOLDER: _verify_archive,
    Format.TAR: _verify_tar,
    Format.SQL: _verify_sql,
}

"""Looks into a folder of backups without leaving a trace: one pass, no access time changed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pytest_yakei.errors import ResourceUnavailable


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file or folder as the listing shows it; a link is followed, and `size` is -1 if broken."""

    path: Path
    size: int
    modified: datetime
    is_folder: bool = False
    inode: int = 0
    device: int = 0

    @property
    def name(self) -> str:
        """Return the name within its folder."""
        return self.path.name

    @property
    def is_broken_link(self) -> bool:
        """Return whether this is a link to something that does not exist."""
        return self.size < 0


@dataclass(frozen=True, kw_only=True)
class Folder:
    """What was found at a path; `problem` says why there is nothing in it to judge."""

    path: Path
    entries: tuple[Entry, ...] = ()
    problem: str = ""


def read_folder(path: Path) -> Folder:
    """Return the entries of a folder, in the order of their names.

    A folder that is missing, empty or no folder at all has its own `problem` for each case.

    Raises:
        ResourceUnavailable: it exists, and what is in it cannot be known (rights, dead mount):
            one cause for every check of this folder.
    """
    try:
        entries = _scan(path)
    except FileNotFoundError:
        return Folder(path=path, problem=_why_missing(path))
    except NotADirectoryError:
        return Folder(path=path, problem=f"{path} is not a folder")
    except OSError as error:
        reason = f"cannot tell: {_refusal(path, error)}"
        raise ResourceUnavailable(f"backups in {path}", reason) from None
    problem = "" if entries else f"{path} is empty: no backup at all"
    return Folder(path=path, entries=entries, problem=problem)


def cannot_read(path: Path, error: OSError) -> str:
    """Return why a path cannot be read: who asked, and whom its mode lets in."""
    return f"cannot tell: {path}: {_refusal(path, error)}"


def _refusal(path: Path, error: OSError) -> str:
    reason = f"{error.strerror}; yakei runs as uid {os.geteuid()}"
    try:
        status = path.stat()
    except OSError:
        return f"{reason}, and a folder above it lets nobody else in"
    mode = f"{stat.S_IMODE(status.st_mode):04o}"
    return (
        f"{reason}, and the mode is {mode} of uid {status.st_uid}, gid {status.st_gid}; "
        f"add the account of yakei to that group"
    )


@contextmanager
def open_untouched(path: Path, flags: int = 0) -> Iterator[int]:
    """Open for reading and yield the descriptor; the access time stays where that is permitted.

    Linux permits O_NOATIME to the owner of the file and to root only.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOATIME | flags)
    except PermissionError:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | flags)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def read_head(path: Path, size: int) -> bytes:
    """Return the first bytes of a file.

    Raises:
        OSError: it cannot be read.
    """
    with open_untouched(path) as descriptor:
        return os.pread(descriptor, size, 0)


def read_tail(path: Path, size: int) -> bytes:
    """Return the last bytes of a file.

    Raises:
        OSError: it cannot be read.
    """
    with open_untouched(path) as descriptor:
        return os.pread(descriptor, size, max(0, os.fstat(descriptor).st_size - size))


def _why_missing(path: Path) -> str:
    """Return whether nothing is there, or a link whose target is gone."""
    if path.is_symlink():
        return f"{path} is a link to {path.readlink()}, which does not exist"
    return f"{path} does not exist"


def _scan(path: Path) -> tuple[Entry, ...]:
    """Return what is in the folder; what vanishes while we look is simply not there."""
    entries = []
    with open_untouched(path, os.O_DIRECTORY) as descriptor, os.scandir(descriptor) as found:
        for item in found:
            with suppress(FileNotFoundError):
                entries.append(_entry(path, item))
    return tuple(sorted(entries, key=lambda entry: entry.name))


def _entry(folder: Path, item: os.DirEntry[str]) -> Entry:
    """Return one entry, or a broken link as what it is.

    Raises:
        FileNotFoundError: it was deleted since the folder was opened.
    """
    path, broken = folder / item.name, False
    try:
        status = item.stat()
    except OSError:
        status, broken = item.stat(follow_symlinks=False), True
        if not stat.S_ISLNK(status.st_mode):
            raise
    return Entry(
        path=path,
        size=-1 if broken else status.st_size,
        modified=datetime.fromtimestamp(status.st_mtime, UTC),
        is_folder=stat.S_ISDIR(status.st_mode),
        inode=status.st_ino,
        device=status.st_dev,
    )

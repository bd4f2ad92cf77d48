"""Where runs remember what they can while their own state cannot be written: in memory, if any."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from yakei_shared.history import STATE_FILE

_MEMORY = Path("/dev/shm")  # noqa: S108 - what is made there is ours alone, which is looked at
"""A file system of its own on Linux, that a full disk leaves alone."""


def existing(folder: Path) -> Path | None:
    """Return the folder in which earlier runs went on for this state folder, if any did."""
    for base in _bases():
        if _is_ours_alone(base):
            place = base / _name(folder)
            if (place / STATE_FILE).is_file():
                return place
    return None


def size(folder: Path) -> int:
    """Return how many bytes earlier runs have kept for this state folder elsewhere."""
    place = existing(folder)
    return (place / STATE_FILE).stat().st_size if place else 0


def places(folder: Path) -> Iterator[Path]:
    """Give the folders in which runs can go on for this state folder, the best one first."""
    for base in _bases():
        with suppress(OSError):
            yield _made(base) / _name(folder)


def on_disk() -> Path:
    """Return a folder, for us alone, in which there is room also for what is large.

    Raises:
        OSError: there is no place for it.
    """
    return _made(_base(Path(tempfile.gettempdir())))


def _bases() -> Iterator[Path]:
    if _MEMORY.is_dir():
        yield _base(_MEMORY)
    yield _base(Path(tempfile.gettempdir()))


def _base(place: Path) -> Path:
    return place / f"yakei-{os.geteuid()}"


def _made(base: Path) -> Path:
    base.mkdir(mode=0o700, exist_ok=True)
    if not _is_ours_alone(base):
        raise PermissionError(errno.EPERM, "somebody else has made it", str(base))
    return base


def _is_ours_alone(base: Path) -> bool:
    """Return whether nobody else has made it, or could put a file or a link into it."""
    with suppress(OSError):
        found = base.lstat()
        private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077
        return private and found.st_uid == os.geteuid()
    return False


def _name(folder: Path) -> str:
    import hashlib  # see yakei.store.naming

    return hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:16]

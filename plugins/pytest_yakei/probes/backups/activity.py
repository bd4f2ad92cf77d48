"""Tells whether somebody is writing a backup now, without touching the lock or the writer."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

LOCKS = Path("/proc/locks")
PROCESSES = Path("/proc")


def is_locked(lock: Path | None) -> bool:
    """Return whether a process holds the lock file.

    The kernel's table is read: to try the lock would make a writer fail that starts just then.
    """
    if lock is None:
        return False
    try:
        status = lock.stat()
    except OSError:
        return False
    return any(_is_same_file(status, held) for held in _locked_files())


def writer_of(paths: Iterable[Path]) -> int | None:
    """Return the pid of a process that has one of the files open for writing, or None.

    Only root sees the files of other users' processes: None is no proof that there is no writer.
    """
    wanted = set()
    for path in paths:
        with suppress(OSError):  # it was deleted just now
            status = path.stat()
            wanted.add((status.st_dev, status.st_ino))
    for descriptor in PROCESSES.glob("[0-9]*/fd/*") if wanted else ():
        with suppress(OSError):  # the process has ended, or is another user's
            found = descriptor.stat()
            if (found.st_dev, found.st_ino) in wanted and _is_writing(descriptor):
                return int(descriptor.parts[2])
    return None


def _is_writing(descriptor: Path) -> bool:
    """Return whether a descriptor's flags, in octal, say that it can write."""
    information = (descriptor.parent.parent / "fdinfo" / descriptor.name).read_text()
    flags = next(line for line in information.splitlines() if line.startswith("flags:"))
    return int(flags.split()[1], 8) & os.O_ACCMODE != os.O_RDONLY


def _locked_files() -> Iterator[tuple[int, int, int]]:
    """Yield major, minor and inode of each locked file; a line that waits (`->`) holds nothing."""
    for line in LOCKS.read_text().splitlines():
        words = line.split()
        if "->" not in words:
            major, minor, inode = words[5].split(":")
            yield int(major, 16), int(minor, 16), int(inode)


def _is_same_file(status: os.stat_result, held: tuple[int, int, int]) -> bool:
    """Return whether the lock is on this file.

    Btrfs shows a device of its own for each subvolume, and the kernel's table that of the whole
    file system: where both are such unnamed devices (major 0) the inode alone decides.
    """
    major, minor, inode = held
    device = os.major(status.st_dev), os.minor(status.st_dev)
    return inode == status.st_ino and (device == (major, minor) or major == device[0] == 0)

"""Looks at subvolumes and snapshots of btrfs as any user can: by inode, device and name."""

from __future__ import annotations

import os
import re
import subprocess
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pytest_yakei.errors import CannotTell
from pytest_yakei.probes.backups.listing import Entry, open_untouched
from pytest_yakei.probes.backups.moments import from_local
from pytest_yakei.probes.backups.readers import quietly

SUBVOLUME_INODE = 256
"""The inode number of the root of every subvolume, and of no other folder on the same device."""
USAGE_TIMEOUT = 10
"""Seconds for `btrfs filesystem usage`, which reads no data."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A folder that is named as a snapshot."""

    member: str
    entry: Entry
    taken: datetime
    """What the name says; its modification time is that of what it is a copy of."""

    @property
    def name(self) -> str:
        """Return member and time: `db00/home/2026-01-31T03:00:00`."""
        return f"{self.member}/{self.entry.name}"


def is_subvolume(entry: Entry, parent_device: int) -> bool:
    """Return whether a folder is the root of a subvolume: it also has a device of its own."""
    return entry.inode == SUBVOLUME_INODE and entry.device != parent_device


def find_snapshots(
    member: str, entries: Sequence[Entry], time_format: str, zone: str
) -> list[Snapshot]:
    """Return the folders whose name is a time, the oldest first."""
    found = []
    for entry in entries:
        with suppress(ValueError):
            naive = datetime.strptime(entry.name, time_format)  # noqa: DTZ007 - the zone is `zone`
            found.append(Snapshot(member=member, entry=entry, taken=from_local(naive, zone)))
    return sorted(found, key=lambda snapshot: snapshot.taken)


def count_entries(folder: Path, most: int) -> int:
    """Return how many files and folders are below a folder, or `most` if there are more.

    Raises:
        OSError: a folder cannot be read.
    """
    count, waiting = 0, deque([folder])
    while waiting and count < most:
        path = waiting.popleft()
        with open_untouched(path, os.O_DIRECTORY) as descriptor, os.scandir(descriptor) as found:
            for item in found:
                count += 1
                if item.is_dir(follow_symlinks=False):
                    waiting.append(path / item.name)
    return min(count, most)


def unallocated(path: Path) -> tuple[int, int]:
    """Return the bytes that no chunk has taken yet, and the bytes of all devices.

    Raises:
        CannotTell: `btrfs` is not installed, or gives no answer.
    """
    command = quietly(["btrfs", "filesystem", "usage", "-b", str(path)])
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=USAGE_TIMEOUT, check=True
        ).stdout
    except (subprocess.SubprocessError, OSError) as error:
        raise CannotTell(f"btrfs filesystem usage {path}: {type(error).__name__}") from None
    amounts = dict(re.findall(r"Device (size|unallocated):\s+(\d+)", answer))
    if len(amounts) < 2:  # noqa: PLR2004 - size and unallocated
        raise CannotTell(f"btrfs filesystem usage {path}: shows no size: {answer[:80]!r}")
    return int(amounts["unallocated"]), int(amounts["size"])

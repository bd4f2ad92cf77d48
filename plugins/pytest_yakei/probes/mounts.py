"""Tells on which file system a file lies, in the numbers that the kernel uses for its locks."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from pytest_yakei.errors import CannotTell

_OWN_FDINFO = Path("/proc/self/fdinfo")
_OWN_MOUNTS = Path("/proc/self/mountinfo")
_ESCAPE = re.compile(r"\\([0-7]{3})")
_NETWORK = re.compile(r"nfs|cifs|smb|9p|ceph|fuse\.|gfs|ocfs|lustre|afs|virtiofs")


@dataclass(frozen=True)
class Mount:
    """A mounted file system: its number in mountinfo, device, kind (`ext4`) and mount point."""

    number: int
    device: tuple[int, int]
    kind: str
    point: Path

    @property
    def is_in_memory(self) -> bool:
        """Whether a reboot clears it."""
        return self.kind in {"tmpfs", "ramfs"}

    @property
    def is_shared(self) -> bool:
        """Whether other machines may hold locks on it that this kernel does not know."""
        return bool(_NETWORK.match(self.kind))


@dataclass(frozen=True)
class Place:
    """Where a file lies: the device and inode under which the kernel lists its locks."""

    mount: Mount
    inode: int


def parse_mounts(text: str) -> dict[int, Mount]:
    """Return the mounts of a mountinfo file by their number."""
    mounts = {}
    for line in text.splitlines():
        left, _, right = line.partition(" - ")
        number, _, device, _, point, *_ = left.split()
        major, minor = map(int, device.split(":"))
        shown = _ESCAPE.sub(lambda escape: chr(int(escape[1], 8)), point)
        mount = Mount(int(number), (major, minor), right.split()[0], Path(shown))
        mounts[mount.number] = mount
    return mounts


def place_of(path: Path) -> Place:
    """Return where a file or folder lies.

    It is opened as a mere path, which needs no right to read it and touches nothing. `stat` would
    give other numbers than the kernel's lock table on btrfs and overlayfs.

    Raises:
        FileNotFoundError: there is no such file.
        CannotTell: it cannot be reached.
    """
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise CannotTell(f"{path} cannot be reached: {error.strerror}") from None
    try:
        lines = (_OWN_FDINFO / str(descriptor)).read_text().splitlines()
        known = dict(line.split(":", 1) for line in lines if ":" in line)
        inode = int(known.get("ino", os.fstat(descriptor).st_ino))  # "ino" since Linux 5.14
        return Place(parse_mounts(_OWN_MOUNTS.read_text())[int(known["mnt_id"])], inode)
    except (OSError, KeyError) as error:
        problem = f"the mount of {path} is not found in {_OWN_MOUNTS}: {error}"
        raise CannotTell(problem) from None
    finally:
        os.close(descriptor)

"""Finds who holds a lock, in what the kernel tells; the lock itself is never tried.

To try it, even for a microsecond and shared, could make a `setlock -n` of the job fail just then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pytest_yakei.errors import CannotTell
from pytest_yakei.probes.mounts import Place, place_of
from pytest_yakei.probes.processes import PROC, Process, everybody, in_initial_namespace, look

_LINE = re.compile(
    r"\d+: (?P<waits>-> )?(?P<kind>FLOCK|POSIX|OFDLCK) +\w+ +(?P<mode>READ|WRITE) +"
    r"(?P<pid>-?\d+) (?P<major>[0-9a-f]+):(?P<minor>[0-9a-f]+):(?P<inode>\d+) "
)
"""A line of /proc/locks, and of a `lock:` in fdinfo; leases and delegations are no locks."""
_CONTAINERS_OWN = "overlay"
"""The file system of a container's image: what lies on it is not shared with other containers."""
_NOBODY = -1
"""The pid of an open file description's lock: it belongs to no process in particular."""
_KINDS = {"FLOCK": "flock", "POSIX": "fcntl", "OFDLCK": "open file description"}


@dataclass(frozen=True, kw_only=True)
class Lock:
    """One lock on a file as the kernel lists it.

    Attributes:
        kind: `FLOCK` (setlock, flock), `POSIX` (fcntl, lockf) or `OFDLCK`; they are independent.
        pid: who took it, -1 for an `OFDLCK`; with a FLOCK that process may be long dead.
        device, inode: the locked file.
        waits: whether it is only being waited for.
    """

    kind: str
    pid: int
    device: tuple[int, int]
    inode: int
    waits: bool = False

    def is_on(self, place: Place) -> bool:
        """Whether it locks the file that lies there."""
        return (self.device, self.inode) == (place.mount.device, place.inode)

    @property
    def kind_name(self) -> str:
        """The kind as manual pages call it."""
        return _KINDS[self.kind]


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A process that has a lock; `process` is None if this user may not see it."""

    lock: Lock
    process: Process | None

    @property
    def has_inherited(self) -> bool:
        """Whether another process took the lock, and has ended or given it away."""
        return self.process is not None and self.lock.pid not in {self.process.pid, _NOBODY}


@dataclass(frozen=True)
class Holding:
    """Who holds the locks on one file, and how many wait for them."""

    holders: tuple[Holder, ...] = field(default=())
    waiting: int = 0


def parse_locks(text: str) -> list[Lock]:
    """Return the locks of /proc/locks, or of the `lock:` lines of a fdinfo."""
    return [
        Lock(
            kind=found["kind"],
            pid=int(found["pid"]),
            device=(int(found["major"], 16), int(found["minor"], 16)),
            inode=int(found["inode"]),
            waits=bool(found["waits"]),
        )
        for found in _LINE.finditer(text)
    ]


def holding(path: Path, proc: Path = PROC) -> Holding:
    """Return who holds a lock on the file; a missing file is held by nobody.

    Raises:
        CannotTell: the holder may be somewhere that we cannot see.
    """
    try:
        place = place_of(path)
    except FileNotFoundError:
        demand_folder(path)
        return Holding()
    locks = [lock for lock in _listed(proc) if lock.is_on(place)]
    held = [lock for lock in locks if not lock.waits]
    holders = [holder for lock in held for holder in _holders(lock, proc)]
    if not held:
        holders = _unlisted(path, place, proc)
    return Holding(tuple(holders), waiting=len(locks) - len(held))


def demand_folder(path: Path) -> None:
    """Refuse to call a lock free whose very folder is missing: the path is probably wrong."""
    if not path.parent.is_dir():
        problem = f"the folder {path.parent} does not exist: is {path} the right file?"
        raise CannotTell(problem)


def _listed(proc: Path) -> list[Lock]:
    try:
        return parse_locks((proc / "locks").read_text())
    except OSError as error:
        raise CannotTell(f"{proc}/locks cannot be read: {error.strerror}") from None


def _holders(lock: Lock, proc: Path) -> list[Holder]:
    """Return the processes behind one lock: who took it, else whoever has inherited it.

    A descriptor passes to the children, so that the lock outlives the process that is listed, and
    the pid in the list may by now be somebody else's.
    """
    taker = _visible(lock.pid, proc)
    try:
        if taker and (lock.kind == "POSIX" or lock in _locks_of(taker.pid, proc)):
            return [Holder(lock=lock, process=taker)]
    except PermissionError:  # another user's descriptors: the list is all that we have
        return [Holder(lock=lock, process=taker)]
    found = [Holder(lock=lock, process=heir) for heir, has in _everybodys(proc) if lock in has]
    return found or [Holder(lock=lock, process=None)]


def _visible(pid: int, proc: Path) -> Process | None:
    with suppress(CannotTell):
        process = look(pid, proc) if pid > 0 else None
        return process if process and not process.is_dead else None
    return None


def _everybodys(proc: Path) -> Iterator[tuple[Process, list[Lock]]]:
    """Yield the processes whose descriptors we may see, with the locks in those."""
    for process in everybody(proc):
        with suppress(PermissionError):
            yield process, _locks_of(process.pid, proc)


def _locks_of(pid: int, proc: Path) -> list[Lock]:
    """Return the locks in a process's descriptors.

    Raises:
        PermissionError: it is another user's process.
    """
    lines: list[str] = []
    with suppress(FileNotFoundError, ProcessLookupError):
        for descriptor in (proc / str(pid) / "fdinfo").iterdir():
            with suppress(FileNotFoundError, ProcessLookupError):
                lines += descriptor.read_text().splitlines()
    return parse_locks("\n".join(line for line in lines if line.startswith("lock:")))


def _unlisted(path: Path, place: Place, proc: Path) -> list[Holder]:
    """Return the holders of a lock that is not in the list, which has gaps in two cases.

    A container's list leaves out the locks that were taken by processes outside it, or by its own
    that have ended; and no list has the locks of other machines on a shared file system.
    """
    if place.mount.is_shared:
        raise CannotTell(
            f"{path} is on {place.mount.kind}, and locks of other machines do not show here; "
            "let the monitor run on the machine whose job takes the lock"
        )
    if in_initial_namespace(proc):
        return []
    heirs = [
        Holder(lock=lock, process=process)
        for process, locks in _everybodys(proc)
        for lock in locks
        if lock.is_on(place)
    ]
    if not heirs and place.mount.kind != _CONTAINERS_OWN:
        raise CannotTell(
            f"nobody in this container holds {path}, and processes outside it do not show here; "
            "let the monitor run outside, or where the job runs"
        )
    return heirs

"""One run at a time: the lock that setlock and flock(1) would take, and who holds it if not we."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, NamedTuple, Self

from yakei.execution.processes import Deadline
from yakei.holder import Holder, find_holder, read_note

OnBusy = Literal["alert", "skip", "wait"]

_TRY_AGAIN = 0.1
"""Seconds between two attempts to get a lock that is waited for."""
_MODE = 0o600  # setlock's
_ADVICE = {
    errno.ENOENT: "its folder does not exist: make it, or name another file",
    errno.EACCES: "no permission: it belongs to another user, or its folder does",
    errno.EISDIR: "it is a folder: name a file in it",
    errno.ENOTDIR: "a part of its path is no folder",
    errno.ENOLCK: "its file system cannot lock: name a file on a local one",
    errno.EROFS: "its file system is read-only: name a file on another one",
}


class LockError(Exception):
    """The lock can be neither had nor found held; the text is one line that says why."""


class Busy(NamedTuple):
    """Somebody else has the lock."""

    path: Path
    holder: Holder | None
    """None when it could not be found out: another pid namespace, or no rights."""

    @property
    def text(self) -> str:
        """What people are told; the first line names the lock, the holder and for how long."""
        if self.holder:
            return self.holder.describe(self.path)
        return (
            f"{self.path} is locked by an unknown process\n"
            "/proc/locks names none that can be seen from here: it may be in another container, "
            "on another host (NFS), or hidden (hidepid).\n"
            f"Do        as root, on the host: fuser -v {self.path}"
        )


class Held:
    """The lock is ours until `release`, the end of the `with` block, or our death."""

    def __init__(self, path: Path, descriptor: int) -> None:
        """Take over a descriptor that has the lock; say in the file who holds it."""
        self.path = path
        self._descriptor = descriptor
        self._started = datetime.now(UTC).isoformat(timespec="seconds")
        self.follow(None)

    def __enter__(self) -> Self:
        """Return the lock, which is held already."""
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        """Give the lock back."""
        self.release()

    def follow(self, journal: Path | None) -> None:
        """Say in the file which journal tells what runs now, for the one that finds us busy.

        A file that holds anything but such a line is somebody's data: it is locked, not written.
        """
        note = {
            "pid": os.getpid(),
            "started": self._started,
            "host": os.uname().nodename,
            "journal": str(journal) if journal else None,
        }
        with suppress(OSError):  # the note is a courtesy: the lock holds without it
            if os.fstat(self._descriptor).st_size and not read_note(self.path):
                return
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, json.dumps(note).encode() + b"\n")

    def release(self) -> None:
        """Give the lock back; the file stays, as every other user of it expects."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class Lock:
    """A lock file, by flock(2): `setlock` and `flock` see it held and hold it for us.

    The descriptor is close-on-exec, so nothing that a check starts can keep it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def acquire(self, on_busy: OnBusy = "alert", deadline: Deadline | None = None) -> Held | Busy:
        """Return the lock, or who has it.

        Args:
            on_busy: with "wait" the lock is waited for; else the answer comes at once.
            deadline: how long it is waited for; without one, for ever.

        Raises:
            LockError: the file cannot be opened, made or locked.
        """
        while True:
            try:
                descriptor = self._try()
            except OSError as error:
                why = _ADVICE.get(error.errno or 0, error.strerror)
                raise LockError(f"lock {self.path}: {why}") from None
            if descriptor is not None:
                return Held(self.path, descriptor)
            if on_busy != "wait" or (deadline and not deadline.left()):
                return Busy(path=self.path, holder=find_holder(self.path))
            time.sleep(_TRY_AGAIN)

    def _try(self) -> int | None:
        """Return a descriptor that has the lock, None when another has it."""
        while True:
            descriptor = self._open()
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if self._is_at_path(descriptor):
                    return descriptor
            except BaseException as error:
                os.close(descriptor)
                if isinstance(error, BlockingIOError):
                    return None
                raise
            # A cleaner of /tmp has removed the file meanwhile: nobody else would see this lock.
            os.close(descriptor)

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            # Without O_CREAT first: with it, Linux refuses another user's file in /tmp
            # (fs.protected_regular), even to root.
            descriptor = os.open(self.path, flags)
        except FileNotFoundError:
            descriptor = os.open(self.path, flags | os.O_CREAT, _MODE)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
        raise LockError(f"lock {self.path}: it is no ordinary file: name another one")

    def _is_at_path(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self.path.stat())
        except FileNotFoundError:
            return False

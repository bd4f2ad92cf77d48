"""How many connections to a database all processes of a run hold at once, whatever ends them."""

from __future__ import annotations

import fcntl
import os
import struct
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pytest_yakei.descriptors import Descriptor

_LOOK = 0.02
"""Seconds between two tries to get a place; waiting is rare, since the parent hands out checks so
that those that are known to need a database find a place."""


_FLOCK = struct.Struct("hhqqi4x")
"""`struct flock` of fcntl(2): type, whence, start, length, pid."""


class Allotment:
    """Places for connections, shared with the processes that are forked after it was made.

    A place is a byte of a file, and belongs to the process that has it locked. A lock of the
    kernel's (fcntl(2), F_SETLK) ends with its process, also with one that was killed; what a
    semaphore counts would be lost. It is not inherited either: a check's own child holds nothing.
    """

    def __init__(self, limits: Mapping[str, int]) -> None:
        self._file = Descriptor(os.memfd_create("yakei-places")) if limits else None
        self._limits = dict(limits)
        self._first: dict[str, int] = {}
        self._mine: dict[str, int] = {}
        end = 0
        for name, limit in limits.items():
            self._first[name] = end
            end += limit + 1  # the last byte is for those who wait

    def limit(self, name: str) -> int | None:
        """Return how many connections to a database there may be; None is any number."""
        return self._limits.get(name)

    def has(self, name: str) -> bool:
        """Return whether this process has a place, or needs none."""
        return name in self._mine or name not in self._limits

    def take(self, name: str) -> bool:
        """Take a place, unless none is free or somebody else waits for one."""
        return self.has(name) or (not self.is_awaited(name) and self._try(name))

    def wait(self, name: str, until: float) -> bool:
        """Wait for a place until this time, as time.monotonic() counts; return whether we got it.

        Raises:
            DescriptorLostError: a check has closed our descriptor.
        """
        with self._waiting(name):
            while time.monotonic() < until:
                # Before the first try as well: who comes later lets the others go first.
                time.sleep(_LOOK)
                if self._try(name):
                    return True
        return False

    def give_back(self, name: str) -> None:
        """Give our place back, if we have one."""
        place = self._mine.pop(name, None)
        if place is not None:
            self._unlock(place)

    def is_awaited(self, name: str) -> bool:
        """Return whether another process waits for a place."""
        if name not in self._limits:
            return False
        asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, self._seat(name), 1, 0)
        found = fcntl.fcntl(self._places(), fcntl.F_GETLK, asked)
        return bool(_FLOCK.unpack(found)[0] != fcntl.F_UNLCK)

    def close(self) -> None:
        """Close this process's descriptor; what it held is free."""
        if self._file is not None:
            os.close(self._file.checked())

    def _places(self) -> int:
        assert self._file is not None  # whoever asks has a limit
        return self._file.checked()

    @contextmanager
    def _waiting(self, name: str) -> Iterator[None]:
        seat = self._seat(name)
        fcntl.lockf(self._places(), fcntl.LOCK_SH, 1, seat)  # by many at once
        try:
            yield
        finally:
            self._unlock(seat)

    def _try(self, name: str) -> bool:
        first = self._first[name]
        for place in range(first, first + self._limits[name]):
            if self._lock(place):
                self._mine[name] = place
                return True
        return False

    def _lock(self, byte: int) -> bool:
        try:
            fcntl.lockf(self._places(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
        except BlockingIOError:
            return False
        return True

    def _unlock(self, byte: int) -> None:
        fcntl.lockf(self._places(), fcntl.LOCK_UN, 1, byte)

    def _seat(self, name: str) -> int:
        return self._first[name] + self._limits[name]

"""Which resources are down: what one worker has found out, the others need not wait for."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress

from pytest_yakei.descriptors import Descriptor
from pytest_yakei.errors import ResourceUnavailable

MAX_AGE = 30.0
"""Seconds after which a resource is tried again: some come back within a run."""


class News:
    """What this process knows, and once it is shared, all that are forked after it."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, str]] = {}
        self._file: Descriptor | None = None
        self._read = 0

    def share(self) -> None:
        """Let all processes that are forked from now on know what one of them tells."""
        self._file = Descriptor(os.memfd_create("yakei-news"))

    def unshare(self) -> None:
        """Keep to what this process finds out."""
        if self._file is not None:
            os.close(self._file.checked())
            self._file = None

    def tell(self, error: ResourceUnavailable) -> None:
        """Let everybody know that a resource cannot be had."""
        self.note(error)
        if self._file is None:
            return
        line = json.dumps([error.resource, time.monotonic(), error.reason]) + "\n"
        with suppress(OSError):  # a check has closed our descriptor: only this process knows, then
            # Its position is the same in all processes of a fork, so this is at its end.
            os.write(self._file.checked(), line.encode())

    def note(self, error: ResourceUnavailable) -> None:
        """Remember in this process that a resource cannot be had."""
        self._known[error.resource] = (time.monotonic(), error.reason)

    def of(self, resource: str) -> ResourceUnavailable | None:
        """Return why a resource cannot be had, if that was found out not long ago."""
        self._hear()
        at, reason = self._known.get(resource, (0.0, ""))
        if not reason or time.monotonic() > at + MAX_AGE:
            return None
        return ResourceUnavailable(resource, reason)

    def _hear(self) -> None:
        """Take in what other processes have told since the last time."""
        if self._file is None:
            return
        with suppress(OSError):  # see `tell`
            file = self._file.checked()
            size = os.fstat(file).st_size
            if size > self._read:
                lines = os.pread(file, size - self._read, self._read).splitlines()
                self._read = size
                for line in lines:
                    self._take(line)

    def _take(self, line: bytes) -> None:
        with suppress(ValueError, TypeError):  # a check has written into our file
            resource, at, reason = json.loads(line)
            if at > self._known.get(resource, (0.0, ""))[0]:
                self._known[resource] = (float(at), str(reason))

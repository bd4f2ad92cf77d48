"""Descriptors of our own in a process whose checks may close them, or take their numbers."""

from __future__ import annotations

import os


class DescriptorLostError(OSError):
    """A descriptor is not ours any more: a check closed it, or gave its number away."""

    def __str__(self) -> str:
        """Return what has probably happened."""
        return "a check has closed a descriptor that was not its own, as by os.closerange()"


class Descriptor:
    """A descriptor that a check may close, or give to another file, at any time."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._identity = _identity(number)

    def checked(self) -> int:
        """Return the descriptor.

        Raises:
            DescriptorLostError: it is closed, or is something else's by now.
        """
        try:
            ours = _identity(self._number) == self._identity
        except OSError:
            ours = False
        if not ours:
            raise DescriptorLostError
        return self._number


def _identity(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino

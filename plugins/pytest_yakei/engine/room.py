"""Sees to it that the parent has as many descriptors as its slots take."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_OF_A_SLOT = 10
"""Descriptors: its four files, four ends of sockets, its worker's end, and one to spare."""
_OF_THE_PARENT = 32
"""Descriptors besides those that are open already: reports, /proc, and the start of a slot."""


Limit = tuple[int, int]
"""How many descriptors a process may have, and how far it may raise that."""


def limit_of_descriptors() -> Limit:
    """Return the limit of this process."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)


def restore_limit(limit: Limit) -> None:
    """Give a process that was forked while there was more room what checks are used to."""
    resource.setrlimit(resource.RLIMIT_NOFILE, limit)


@contextmanager
def room_for(slots: int) -> Iterator[int]:
    """Yield how many slots there is room for: at least one, and at most so many.

    A limit of 1024, which is usual, is enough for less than a hundred of them. It is raised as far
    as it may be, for this process only: see `restore_limit`.
    """
    before, most = limit_of_descriptors()
    used = len(list(Path("/proc/self/fd").iterdir())) + _OF_THE_PARENT
    wanted = used + slots * _OF_A_SLOT
    limit = _higher(before, min(wanted, most) if most != resource.RLIM_INFINITY else wanted)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, most))
    try:
        yield slots if limit == resource.RLIM_INFINITY else _fitting(slots, limit - used)
    finally:
        restore_limit((before, most))


def _higher(limit: int, other: int) -> int:
    return limit if limit == resource.RLIM_INFINITY else max(limit, other)


def _fitting(slots: int, descriptors: int) -> int:
    return min(slots, max(1, descriptors // _OF_A_SLOT))

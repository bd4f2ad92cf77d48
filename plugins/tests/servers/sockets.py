"""Ports that misbehave: one accepts and never answers, one refuses."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from servers.ports import LOOPBACK

WAITING_ROOM = 16
"""Connections that the kernel accepts for a listener that never calls accept()."""


@contextmanager
def silent_listener() -> Iterator[int]:
    """Yield a port where connections succeed and not one byte ever comes back."""
    with socket.create_server((LOOPBACK, 0), backlog=WAITING_ROOM) as listener:
        yield listener.getsockname()[1]


@contextmanager
def refusing_port() -> Iterator[int]:
    """Yield a port that refuses connections; it is bound, so nobody else can get it meanwhile."""
    with socket.socket() as bound:
        bound.bind((LOOPBACK, 0))
        yield bound.getsockname()[1]

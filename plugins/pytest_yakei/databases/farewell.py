"""Ends a connection so that the server has ended it as well when we say that it is over.

A server takes its time: PostgreSQL's backend hears that its client has gone, and then ends by
itself. Whoever takes over the place of a connection too early is one too many for a role's
`CONNECTION LIMIT`, or for `max_connections`, and is turned away.
"""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress

_PATIENCE = 0.5
"""Seconds to wait for a server that is busy; one that is frozen must not hold us up."""


def own_line(descriptor: int) -> socket.socket | None:
    """Return a descriptor of our own for a driver's socket; None when that is not open."""
    try:
        return socket.socket(fileno=os.dup(descriptor))
    except OSError:
        return None


def await_end(line: socket.socket | None) -> None:
    """Wait until the server has closed the other end; then, or at last, close ours.

    What the server still sends, as TLS does, is thrown away.
    """
    if not line:
        return
    until = time.monotonic() + _PATIENCE
    with line, suppress(OSError):
        while (left := until - time.monotonic()) > 0:
            line.settimeout(left)
            if not line.recv(4096):
                return

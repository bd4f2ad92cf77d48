"""Sockets of our own, also where a plugin as pytest-socket puts another class in their place.

It is imported with the plugin, and so before a conftest.py can do that.
"""

from __future__ import annotations

import _socket
import socket

_Socket = socket.socket


def opened(descriptor: int) -> socket.socket:
    """Return the socket of a descriptor."""
    return _Socket(fileno=descriptor)


def pair(kind: int = socket.SOCK_STREAM) -> tuple[socket.socket, socket.socket]:
    """Return two sockets that are connected with each other."""
    ours, theirs = _socket.socketpair(socket.AF_UNIX, kind)
    return opened(ours.detach()), opened(theirs.detach())

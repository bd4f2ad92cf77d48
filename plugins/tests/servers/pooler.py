"""A stand-in for pgbouncer: it takes no `options` from a client that connects to PostgreSQL."""

from __future__ import annotations

import selectors
import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from servers.ports import LOOPBACK

ENCRYPTION_REQUESTS = (80877103, 80877104)
"""A client's question for TLS or GSSAPI: https://www.postgresql.org/docs/current/protocol.html"""
REFUSAL = "unsupported startup parameter: options"
"""What pgbouncer says unless its `ignore_startup_parameters` names `options`."""
CHUNK = 65536


class _Connection(socketserver.BaseRequestHandler):
    """One client; the server's port and the way of the pooler are set in a subclass."""

    upstream_port = 0
    refuses = False
    request: socket.socket

    def handle(self) -> None:
        version, settings = self._startup()
        if self.refuses and "options" in settings:
            self.request.sendall(_error(REFUSAL))
            return
        settings.pop("options", None)
        with socket.create_connection((LOOPBACK, self.upstream_port)) as upstream:
            upstream.sendall(_message(version, settings))
            _relay(self.request, upstream)

    def _startup(self) -> tuple[int, dict[str, str]]:
        length, version = struct.unpack("!II", self._exactly(8))
        while version in ENCRYPTION_REQUESTS:
            self.request.sendall(b"N")
            length, version = struct.unpack("!II", self._exactly(8))
        words = self._exactly(length - 8).decode().rstrip("\0").split("\0")
        return version, dict(zip(words[::2], words[1::2], strict=True))

    def _exactly(self, size: int) -> bytes:
        return self.request.recv(size, socket.MSG_WAITALL)


def _message(version: int, settings: dict[str, str]) -> bytes:
    words = "".join(f"{key}\0{value}\0" for key, value in settings.items()).encode() + b"\0"
    return struct.pack("!II", len(words) + 8, version) + words


def _error(text: str) -> bytes:
    fields = f"SFATAL\0C08P01\0M{text}\0\0".encode()
    return b"E" + struct.pack("!I", len(fields) + 4) + fields


def _relay(one: socket.socket, other: socket.socket) -> None:
    """Pass bytes on in both directions until one side has ended."""
    with selectors.DefaultSelector() as waiting:
        waiting.register(one, selectors.EVENT_READ, other)
        waiting.register(other, selectors.EVENT_READ, one)
        while True:
            for key, _ in waiting.select():
                data = key.fileobj.recv(CHUNK)  # type: ignore[union-attr] - both are sockets
                if not data:
                    return
                key.data.sendall(data)


@contextmanager
def pooler(port: int, *, refuses: bool) -> Iterator[int]:
    """Yield the port of a pooler in front of a server; it refuses `options`, or drops them."""
    way = {"upstream_port": port, "refuses": refuses}
    connection = type("Connection", (_Connection,), way)
    with socketserver.ThreadingTCPServer((LOOPBACK, 0), connection) as server:
        server.daemon_threads = True  # a client that hangs is not waited for
        serving = threading.Thread(target=server.serve_forever, args=(0.02,))
        serving.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            serving.join()

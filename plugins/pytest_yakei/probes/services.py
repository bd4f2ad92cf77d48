"""Asks a service for a sign of life at its port or socket, in the least that its protocol needs."""

from __future__ import annotations

import errno
import socket
import struct
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Literal

from pytest_yakei.errors import CannotTell

Protocol = Literal["connect", "greeting", "http", "postgres"]

_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
"""PostgreSQL answers it with one byte before any authentication and logs nothing."""
_OPTIONS = b"OPTIONS * HTTP/1.0\r\nUser-Agent: yakei\r\n\r\n"
"""Asks the web server about itself: no page and no application behind it is touched."""
_FIRST_WORDS = {"greeting": b"", "http": _OPTIONS, "postgres": _SSL_REQUEST}

_SPOKEN_BY: dict[str, Protocol] = {
    **dict.fromkeys(("postgres", "postmaster"), "postgres"),
    **dict.fromkeys(("httpd", "apache2", "nginx", "lighttpd"), "http"),
    **dict.fromkeys(("sshd", "mysqld", "mariadbd", "vsftpd", "proftpd"), "greeting"),
}
_NOBODY_THERE = {
    errno.ECONNREFUSED,
    errno.ENOENT,
    errno.ENOTSOCK,
    errno.ECONNRESET,
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
}


class Presence(Enum):
    """What is at a service's address."""

    ABSENT = "nobody listens"
    SILENT = "somebody listens and does not answer"
    ANSWERS = "somebody answers"


@dataclass(frozen=True)
class Reply:
    """What came back, and the same in words: `refuses the connection`."""

    presence: Presence
    words: str


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where a service listens, and how it is asked."""

    address: tuple[str, int] | Path
    """Host and port, or a unix socket's path."""
    protocol: Protocol = "connect"
    patience: timedelta = timedelta(seconds=5)

    def __str__(self) -> str:
        """Return `127.0.0.1:80`, or the socket's path."""
        if isinstance(self.address, Path):
            return str(self.address)
        host, port = self.address
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    @property
    def listeners_command(self) -> str:
        """The command that shows who listens there."""
        if isinstance(self.address, Path):
            return f"ss -lxp src {self.address}"
        return f"ss -ltnp 'sport = :{self.address[1]}'"


def spoken_by(program: str) -> Protocol:
    """Return how a program is asked: in its own protocol where we know it.

    A bare connection proves little: the kernel accepts it for a process that hangs or is stopped.
    """
    return _SPOKEN_BY.get(program, "connect")


def ask(endpoint: Endpoint) -> Reply:
    """Return what is at the endpoint; nothing is left behind there.

    Raises:
        CannotTell: the question could not be put: no right, no such host, no descriptor left.
    """
    seconds = endpoint.patience.total_seconds()
    silence = Reply(Presence.SILENT, f"is connected to, and does not answer within {seconds:g} s")
    try:
        with closing(_connected(endpoint, seconds)) as connection:
            return _spoken_with(connection, endpoint.protocol)
    except (TimeoutError, BlockingIOError):  # a full backlog: TCP waits, a unix socket says EAGAIN
        return silence
    except OSError as error:
        if isinstance(error, socket.gaierror) or error.errno not in _NOBODY_THERE:
            raise CannotTell(f"{endpoint} cannot be asked: {error.strerror or error}") from None
        return Reply(Presence.ABSENT, _refusal(error))


def _connected(endpoint: Endpoint, seconds: float) -> socket.socket:
    if not isinstance(endpoint.address, Path):
        return socket.create_connection(endpoint.address, timeout=seconds)
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(seconds)
        connection.connect(str(endpoint.address))
    except OSError:
        connection.close()
        raise
    return connection


def _refusal(error: OSError) -> str:
    if error.errno == errno.ECONNREFUSED:
        return "refuses the connection"
    if error.errno == errno.ENOENT:
        return "does not exist"
    return f"cannot be reached: {error.strerror}"


def _spoken_with(connection: socket.socket, protocol: Protocol) -> Reply:
    """Return what a connected server makes of the protocol's first words.

    A web server may hang up on them (one that wants TLS): even that a hung process does not do.
    """
    if protocol == "connect":
        return Reply(Presence.ANSWERS, "accepts connections")
    try:
        connection.sendall(_FIRST_WORDS[protocol])
        heard = connection.recv(1)
    except ConnectionError:
        heard = b""
    if heard or protocol == "http":
        return Reply(Presence.ANSWERS, "answers")
    return Reply(Presence.SILENT, "hangs up without a word")

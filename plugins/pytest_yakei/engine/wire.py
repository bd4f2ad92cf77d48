"""Messages between two of our processes: whole, in order, and made of plain values only."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # has no stubs
import marshal
import os
import signal
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Message = tuple[Any, ...]
"""What it is about, then the facts."""

_LENGTH = struct.Struct("!I")
_OFFER = struct.Struct("!ii")
_CHUNK = 1 << 18
_DEEPEST = 20
"""A report nests less deep; a cycle must not hang us."""
_DISTURBING = (
    signal.SIGALRM,
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGVTALRM,
)
"""Signals whose Python handlers may raise: never in the middle of a message."""


class WireLostError(Exception):
    """Our end is not ours any more: a check closed the descriptor, or gave its number away."""


class Wire:
    """One end of a stream socket that carries messages.

    marshal and not pickle: it is the quickest, keeps tuples apart from lists, and runs no code of
    the sender's in the reader.
    """

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._identity = _identity(end.fileno())
        self._rest = bytearray()

    def fileno(self) -> int:
        """Return the descriptor, to wait on."""
        return self._end.fileno()

    def close(self) -> None:
        """Close our end."""
        self._end.close()

    def send(self, *message: Any, draft: Draft | None = None) -> None:
        """Send one message, and before it those of a draft, whole, whatever signals come meanwhile.

        Raises:
            WireLostError: the descriptor is closed, or is something else's by now.
            OSError: the other end is closed.
        """
        data = _frame(message)
        with _undisturbed():
            _check(self._end.fileno(), self._identity)
            if draft is None:
                self._end.sendall(data)
            else:
                self._end.sendall(draft.text + data)
                draft.clear()

    def arrived(self) -> tuple[list[Message], bool]:
        """Return, without waiting, the messages that are there, and whether more may come."""
        is_open = True
        try:
            while data := self._end.recv(_CHUNK, socket.MSG_DONTWAIT):
                self._rest += data
                if len(data) < _CHUNK:
                    break
            is_open = bool(data)
        except BlockingIOError:
            pass
        except ConnectionError:
            is_open = False
        messages = []
        while (message := self._next()) is not None:
            messages.append(message)
        return messages, is_open

    def _next(self) -> Message | None:
        message, end = _unframe(self._rest)
        del self._rest[:end]
        return message


class Draft:
    """Messages that are kept in a file until they are sent.

    Nobody is woken by them, and yet nothing is lost with the writer: the reader looks into the
    file when the writer has died.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._identity = _identity(descriptor)
        self.text = b""

    def add(self, *message: Any) -> None:
        """Add a message.

        Raises:
            WireLostError: the descriptor is closed, or is something else's by now.
        """
        data = _frame(message)
        with _undisturbed():
            _check(self._descriptor, self._identity)
            os.pwrite(self._descriptor, data, len(self.text))
            self.text += data

    def clear(self) -> None:
        """Forget the messages: they are sent."""
        if self.text:
            _check(self._descriptor, self._identity)
            os.ftruncate(self._descriptor, 0)
            self.text = b""


def read_draft(descriptor: int) -> list[Message]:
    """Return the messages that a dead writer had not sent."""
    rest = bytearray(os.pread(descriptor, os.fstat(descriptor).st_size, 0))
    messages: list[Message] = []
    while True:
        message, end = _unframe(rest)
        if message is None:
            return messages
        messages.append(message)
        del rest[:end]


class Offers:
    """Hands checks to one worker, one at a time, and takes back what it has not claimed.

    A worker finds its next check without having to ask, and yet none waits behind one that hangs:
    each offer is a packet that either the worker or the parent gets.
    """

    def __init__(self) -> None:
        self._give, self._take = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._identity = _identity(self._take.fileno())

    def close(self) -> None:
        """Close this process's ends."""
        self._give.close()
        self._take.close()

    def offer(self, index: int, hint: int) -> None:
        """Offer a check, and say which will probably follow it; -1 is none."""
        self._give.send(_OFFER.pack(index, hint))

    def claim(self, *, wait: bool) -> tuple[int, int] | None:
        """Return what is offered; None when there is nothing, and we shall not wait.

        Raises:
            WireLostError: the descriptor is closed, or is something else's by now.
        """
        with _undisturbed():
            _check(self._take.fileno(), self._identity)
            try:
                packet = self._take.recv(_OFFER.size, 0 if wait else socket.MSG_DONTWAIT)
            except BlockingIOError:
                return None
            if not packet:
                raise BrokenPipeError("the parent is gone")
            index, hint = _OFFER.unpack(packet)
            return index, hint


def pair() -> tuple[socket.socket, socket.socket]:
    """Return two connected ends."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)


def _identity(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino


def _check(descriptor: int, identity: tuple[int, int]) -> None:
    try:
        ours = _identity(descriptor) == identity
    except OSError:
        ours = False
    if not ours:
        raise WireLostError


def _frame(message: Message) -> bytes:
    data = _dump(message)
    return _LENGTH.pack(len(data)) + data


def _unframe(data: bytearray) -> tuple[Message | None, int]:
    """Return the first message and where it ends; None and 0 when it is not whole yet."""
    if len(data) < _LENGTH.size:
        return None, 0
    end = _LENGTH.size + _LENGTH.unpack_from(data)[0]
    if len(data) < end:
        return None, 0
    return marshal.loads(bytes(data[_LENGTH.size : end])), end  # noqa: S302 - ours, by fork


def _dump(message: Message) -> bytes:
    try:
        return marshal.dumps(message)
    except ValueError:  # a plugin, or a check, has put an object into a report
        return marshal.dumps(_plain(message, _DEEPEST))


def _plain(value: Any, depth: int) -> Any:
    """Return the value with each object in it replaced by its text."""
    if value is None or isinstance(value, bool | bytes):
        return value
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    if not depth:
        return "…"
    if isinstance(value, dict):
        return {_plain(k, depth - 1): _plain(v, depth - 1) for k, v in value.items()}
    if isinstance(value, list | tuple):
        plain = [_plain(each, depth - 1) for each in value]
        return tuple(plain) if isinstance(value, tuple) else plain
    return str(value)


@contextmanager
def _undisturbed() -> Iterator[None]:
    # Not by `signal`: it makes an enum of each number, which costs more than all the rest.
    before = _signal.pthread_sigmask(signal.SIG_BLOCK, _DISTURBING)
    try:
        yield
    finally:
        _signal.pthread_sigmask(signal.SIG_SETMASK, before)

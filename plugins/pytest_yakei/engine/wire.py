"""Messages from a worker to its parent: whole, in order, and made of plain values only."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # has no stubs
import marshal
import os
import signal
import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any

from pytest_yakei.descriptors import Descriptor
from pytest_yakei.engine import clock, sockets

Message = tuple[Any, ...]
"""What it is about, then the facts."""

_FRAME = struct.Struct("!II")
"""The length of a message, and its number."""
_ROUND = struct.Struct("!I")
"""How often the draft was emptied; it is at the draft's beginning."""
_CHUNK = 1 << 18
_LONG = 1 << 16
"""Bytes of a draft that are sent without waiting for more."""
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


class Undisturbed:
    """While it is entered, no signal's handler runs in this thread.

    A class, and by `_signal`: each message needs it, and a generator with the enums of `signal`
    costs more than all the rest of a message.
    """

    __slots__ = ("_before",)

    def __enter__(self) -> None:
        self._before = _signal.pthread_sigmask(_signal.SIG_BLOCK, _DISTURBING)

    def __exit__(self, *_: object) -> None:
        _signal.pthread_sigmask(_signal.SIG_SETMASK, self._before)


class Teller:
    """The worker's end: what it notes is in a file at once, and sent when it is worth it.

    Nobody is woken by each message, and yet nothing is lost with the worker, and nothing is late:
    the parent looks into the file when the worker has died, and now and then while it lives.
    marshal and not pickle: it is the quickest, keeps tuples apart from lists, and runs no code of
    the sender's in the reader.
    """

    def __init__(self, end: socket.socket, draft: int) -> None:
        self._end = end
        self._socket, self._draft = Descriptor(end.fileno()), Descriptor(draft)
        self._rounds = self._number = 0
        self._unsent = bytearray()
        self._sent_at = 0.0
        self._lock = threading.RLock()
        os.pwrite(draft, _ROUND.pack(0), 0)

    def note(self, *message: Any) -> None:
        """Keep a message, whole, whatever signals come meanwhile.

        Raises:
            DescriptorLostError: a check has closed our descriptors.
        """
        data = _dump(message)
        with Undisturbed(), self._lock:  # a check's threads have something to tell, too
            frame = _FRAME.pack(len(data), self._number) + data
            os.pwrite(self._draft.checked(), frame, _ROUND.size + len(self._unsent))
            self._number += 1
            self._unsent += frame

    def send(self, *, after: float = 0.0) -> None:
        """Send what is kept, if there is much of it or the last time was `after` seconds ago.

        Raises:
            DescriptorLostError: a check has closed our descriptors.
            OSError: the parent is gone, or has given us up.
        """
        now = clock.monotonic()
        if now < self._sent_at + after and len(self._unsent) < _LONG:
            return
        with Undisturbed(), self._lock:
            self._socket.checked()
            self._end.sendall(self._unsent)
            self._sent_at = now
            self._rounds += 1
            draft = self._draft.checked()
            os.pwrite(draft, _ROUND.pack(self._rounds), 0)
            os.ftruncate(draft, _ROUND.size)
            self._unsent.clear()


class Listener:
    """The parent's end: hears each message once, by whatever way it comes first."""

    def __init__(self, end: socket.socket, draft: int) -> None:
        self._end = end
        self._draft = draft
        self._rest = bytearray()
        self._next = 0

    def fileno(self) -> int:
        """Return the socket's descriptor, to wait on."""
        return self._end.fileno()

    def close(self) -> None:
        """Close our end of the socket."""
        self._end.close()

    def arrived(self) -> tuple[list[Message], bool]:
        """Return, without waiting, the messages that were sent, and whether more may come."""
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
        messages, end = self._new(self._rest, 0)
        del self._rest[:end]
        return messages, is_open

    def unsent(self) -> list[Message]:
        """Return the messages that the worker has kept, or had when it died."""
        size = os.fstat(self._draft).st_size
        if size <= _ROUND.size:
            return []
        data = os.pread(self._draft, size, 0)
        if os.pread(self._draft, _ROUND.size, 0) != data[: _ROUND.size]:
            return []  # they were sent while we looked
        return self._new(data, _ROUND.size)[0]

    def _new(self, data: bytes | bytearray, start: int) -> tuple[list[Message], int]:
        """Return the messages that were not heard yet, and where the last whole one ends."""
        messages = []
        for number, at, end in _frames(data, start):
            if number == self._next:
                self._next += 1
                messages.append(marshal.loads(data[at:end]))  # noqa: S302 - ours, by fork
            start = end
        return messages, start


def _frames(data: bytes | bytearray, start: int) -> Iterator[tuple[int, int, int]]:
    """Yield number, beginning and end of each message that is whole."""
    while start + _FRAME.size <= len(data):
        length, number = _FRAME.unpack_from(data, start)
        begin = start + _FRAME.size
        start = begin + length
        if start > len(data):
            return
        yield number, begin, start


def pair() -> tuple[socket.socket, socket.socket]:
    """Return two connected ends."""
    return sockets.pair()


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

"""The nursery: one process of ours that does nothing but fork keepers and their workers.

It is forked from the parent once, prepares what all workers need, and then lies still. What the
parent writes while it works would otherwise stay in memory once more for each worker that it has
forked, and the parent would stand still for each fork.
"""

from __future__ import annotations

import faulthandler
import marshal
import os
import signal
import socket
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

from pytest_yakei.engine import clock, linux, sockets
from pytest_yakei.engine.exit_codes import BROKEN_WORKER
from yakei_shared import prctl

_LONGEST = 1 << 12
"""Bytes of a request; it holds a few numbers and a path."""
_MOST_DESCRIPTORS = 16
_MOST_LIVES = 3
"""How often it is started: whatever kills it would kill it for ever."""

_UNREHEARSED = 2
"""Processes that are forked before it rehearses: a suite's first checks shall not wait for that."""

Work = Callable[[Sequence[int], Any], NoReturn]
"""What a forked process does with the descriptors and the facts of a request."""


@dataclass(frozen=True)
class Prepared:
    """What the nursery's process can do when it is prepared."""

    work: Work
    rehearse: Callable[[], None]
    """Makes what its children would each make for themselves; called once, if there are many."""


class Nursery:
    """The parent's side of it."""

    def __init__(self, prepare: Callable[[], Prepared]) -> None:
        """Say what prepares the process."""
        self._prepare = prepare
        self._lives = 0
        self.began = 0.0
        """When it was forked last; what was asked of an earlier one is not to be expected."""
        self.pid = 0
        self._wire: socket.socket

    def revive(self, others: Callable[[], object]) -> None:
        """Start it anew: somebody has killed it.

        Args:
            others: closes, in the new process, what is open for the slots of the parent.

        Raises:
            RuntimeError: it dies again and again.
        """
        self.end()
        if self._lives == _MOST_LIVES:
            raise RuntimeError("the process that forks those in which checks run was killed")
        self.start(others)

    def start(self, others: Callable[[], object] = lambda: None) -> None:
        """Fork it.

        Raises:
            OSError: there is no memory, process or descriptor left.
        """
        self._lives += 1
        self.began = clock.monotonic()
        parent = os.getpid()
        self._wire, theirs = sockets.pair(socket.SOCK_SEQPACKET)
        self.pid = fork()
        if not self.pid:
            is_first = self._lives == 1  # what has killed it may have been the rehearsal
            serve = partial(_serve, parent, theirs, rehearses=is_first)
            in_child(self._wire.close, others, lambda: serve(self._prepare()))
        theirs.close()

    def fork(self, descriptors: Sequence[int], facts: Any) -> None:
        """Have a process forked that works with copies of these descriptors.

        Raises:
            OSError: the nursery is dead.
        """
        socket.send_fds(self._wire, [marshal.dumps(("fork", facts))], list(descriptors))

    def reap(self, pid: int) -> int | None:
        """Return how a process that it has forked, and that was killed, has ended."""
        with suppress(OSError):
            self._wire.send(marshal.dumps(("reap", pid)))
            answer = self._wire.recv(_LONGEST)
            status: int | None = marshal.loads(answer) if answer else None  # noqa: S302 - ours, by fork
            if status is not None:
                return status
        with suppress(ChildProcessError):  # the nursery that forked it is dead: it is ours
            return os.waitpid(pid, 0)[1]
        return None

    def is_living(self) -> bool:
        """Return whether it can fork: one that is dying has closed its end already."""
        try:
            is_open = bool(self._wire.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except BlockingIOError:
            is_open = True
        except ConnectionError:  # and has not read all that we asked for
            is_open = False
        return is_open and not linux.has_ended(self.pid)

    def end(self) -> None:
        """End it; its children, if there are any, become ours."""
        if not self.pid:  # it could not be forked
            return
        self._wire.close()
        os.kill(self.pid, signal.SIGKILL)  # also of a zombie the number is still its own
        os.waitpid(self.pid, 0)
        self.pid = 0


def _serve(parent: int, wire: socket.socket, prepared: Prepared, *, rehearses: bool) -> NoReturn:
    os.setsid()  # Ctrl-C is the parent's business
    prctl.die_with_parent(parent)
    forked = 0
    while True:
        data, descriptors, _, _ = socket.recv_fds(
            wire, _LONGEST, _MOST_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC
        )
        if not data:
            os._exit(0)
        order, facts = marshal.loads(data)  # noqa: S302 - ours, by fork
        if order == "reap":
            status = None
            with suppress(ChildProcessError):  # an earlier nursery's
                _, status = os.waitpid(facts, 0)
            wire.send(marshal.dumps(status))
            continue
        if forked == _UNREHEARSED and rehearses:
            prepared.rehearse()
        forked += 1
        with suppress(OSError):  # no process left: the parent sees that its wires are closed
            if not os.fork():
                in_child(wire.close, lambda: prepared.work(descriptors, facts))  # noqa: B023 - never returns
        for descriptor in descriptors:
            os.close(descriptor)


def fork() -> int:
    """Fork as `os.fork` does, and say nothing twice."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # what is buffered would be said twice
            stream.flush()
    with warnings.catch_warnings():  # from 3.12 on about threads, of which a child uses none
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def in_child(*acts: Callable[[], object]) -> NoReturn:
    """Do these things and end the process: it must never go on with the parent's code."""
    try:
        for act in acts:
            act()
    except BaseException:  # noqa: BLE001 - see above
        with suppress(BaseException):
            faulthandler.disable()
            os.write(2, traceback.format_exc().encode(errors="replace"))
    finally:
        os._exit(BROKEN_WORKER)

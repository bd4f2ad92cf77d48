"""The keeper of one worker: is its parent in our place, and adopts whatever it starts.

A check that kills its parent kills only its keeper; the kernel then ends the worker.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from pytest_yakei.engine import linux
from yakei_shared import prctl

BIRTH = struct.Struct("!II")
"""What a worker says, before all else and once: the pid of its keeper, and its own."""


def leaves_unknown_children(shell: str) -> bool:
    """Return whether there is such a shell, and it is not bash.

    That takes the exit status of a child that it has not started, and the parent could not learn
    any more how the worker has ended.
    """
    return os.access(shell, os.X_OK) and "bash" not in Path(shell).resolve().name


_SHELL = next(filter(leaves_unknown_children, ("/bin/dash", "/bin/sh")), "")
_GUARD = """\
read -r _
for _ in 1 2 3 4 5; do
    read -r living </proc/$$/task/$$/children
    kill -9 $living
    sleep 0.1
done 2>/dev/null
"""
"""Waits until the parent is gone, and then ends what the parent would have ended: orphans of those
that are killed become the keeper's own children."""


def keep(life: socket.socket, work: Callable[[], None]) -> NoReturn:
    """Start a worker, which says who it is, and wait for the parent's end.

    Once the worker is started, the keeper is a shell: of a copy of Python, each page that the
    parent and the worker write to would stay in memory for the keeper alone.

    Args:
        life: our end of a socket whose other end closes when the parent dies.
        work: what the worker does; it never returns from its process.
    """
    os.setsid()  # Ctrl-C is the parent's business, and a check cannot ask the terminal
    prctl.adopt_orphans()
    us = os.getpid()
    worker = os.fork()
    if not worker:
        os.setsid()
        prctl.die_with_parent(us)
        prctl.adopt_orphans()
        life.send(BIRTH.pack(us, os.getpid()))  # not by the keeper, whom a check may kill at once
        life.close()
        work()
        os._exit(0)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor, number in ((life.fileno(), 0), (nothing, 1), (nothing, 2)):
        os.dup2(descriptor, number)
    with suppress(OSError):  # a system without one: keep on as we are
        if _SHELL:
            os.execv(_SHELL, ["yakei: keeper of a worker", "-c", _GUARD])  # noqa: S606 - no shell's text
    os.read(0, 1)
    linux.end_all(lambda: linux.descendants(us), 1.0)
    os._exit(0)

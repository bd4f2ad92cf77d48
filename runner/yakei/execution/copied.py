"""Runs pytest in a copy of this very process: what both of them import is imported once.

The copy is made before anything else, and imports pytest while the runner reads its configuration
and its state. It is made to look, to pytest and to the checks, like `python -m pytest` in a process
of its own: the same arguments, streams, signals, environment, descriptors and modules.
"""

from __future__ import annotations

import fcntl
import gc
import marshal
import os
import runpy
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import NamedTuple, NoReturn

from yakei.execution.leaving import ENDING_SIGNALS, leave
from yakei.execution.starting import dying_with, undisturbed

_MOST_DESCRIPTORS = 1 << 20
_LOOK = 0.002
"""Seconds between two looks at it."""
_KILL_PATIENCE = 1.0
"""Seconds for a killed copy to be gone: one that hangs in the kernel ends with us, or never."""


class Copy:
    """A copy of this process that waits to be told what to run; as much of a Popen as is needed."""

    def __init__(self, prepare: Callable[[], object] = tuple) -> None:
        """Start it.

        Args:
            prepare: is called in it while nothing is asked of it yet.

        Raises:
            OSError: there is no memory, process or descriptor left.
        """
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):  # else the copy would say it, too
                stream.flush()
        self.returncode: int | None = None
        self._wire, theirs = socket.socketpair()
        with theirs, undisturbed() as mask:
            begin = dying_with(os.getpid(), mask)
            self.pid = os.fork()
            if not self.pid:
                _live(theirs, begin, prepare)

    def run(
        self, module: Module, *, output: int, folder: Path, environment: Mapping[str, str]
    ) -> None:
        """Have it run a module to the end; one that has died meanwhile is found to have ended.

        Args:
            module: what it runs.
            output: takes its stdout and stderr.
            folder: where it works.
            environment: its environment variables.
        """
        mask = os.umask(0o077)
        os.umask(mask)
        facts = (list(module.arguments), list(module.roots), module.name)
        order = marshal.dumps((*facts, str(folder), dict(environment), mask))
        # In a file: one that is stopped, or still imports, must not hold the runner.
        with self._wire, suppress(OSError), os.fdopen(os.memfd_create("yakei-order"), "wb") as file:
            file.write(order)
            file.flush()
            socket.send_fds(self._wire, [b"!"], [output, file.fileno()])

    def discard(self) -> None:
        """End it: there is nothing for it to do."""
        self._wire.close()
        self.send_signal(signal.SIGKILL)
        until = time.monotonic() + _KILL_PATIENCE
        while self.poll() is None and time.monotonic() < until:
            time.sleep(_LOOK)

    def poll(self) -> int | None:
        """Return its exit code, negative for a signal; None while it runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, number)


class Module(NamedTuple):
    """A module that a copy runs as a program: what comes after `python -m`."""

    copy: Copy
    name: str
    arguments: Sequence[str]
    roots: Sequence[str]
    """Folders of packages that the copy shall find, besides those that this process finds."""


class Spare:
    """The copy that a command makes ahead, for the first process of its run.

    The later ones start anew: by then a copy would have the runner's calls below the check's own,
    with the application's settings in them, for whoever looks at the stack to find.
    """

    def __init__(self, prepare: Callable[[], object]) -> None:
        """Make the copy; it calls `prepare` while it waits."""
        self._ready: Copy | None = None
        with suppress(OSError):  # no process left: where there still is none, that will be told
            self._ready = Copy(prepare)

    def take(self) -> Copy | None:
        """Return the copy, once; None when there is none that lives."""
        copy, self._ready = self._ready, None
        return copy if copy is not None and copy.poll() is None else None

    def close(self) -> None:
        """End the copy that nobody has taken."""
        if self._ready is not None:
            self._ready.discard()
            self._ready = None


def import_pytest() -> None:
    """Import, in a copy, what each run imports anyway."""
    with suppress(Exception):  # whatever it is, pytest says it better when it is run
        import_module("pytest_yakei.ahead")


def _live(
    wire: socket.socket, begin: Callable[[], None], prepare: Callable[[], object]
) -> NoReturn:
    """Be another program to the end: the runner's own code never goes on in this process."""
    try:
        os.setsid()
        begin()
        order = _let_go(wire)
        prepare()
        leave(_obey(order))
    except BaseException:  # noqa: BLE001 - see above
        with suppress(BaseException):
            import traceback

            os.write(2, traceback.format_exc().encode(errors="replace"))
    finally:
        os._exit(1)


def _let_go(wire: socket.socket) -> socket.socket:
    """Keep nothing of the runner's open, above all not its lock, and end as others do.

    Returns:
        The wire, out of the way of the standard streams: cron's job may have closed those.
    """
    for number in ENDING_SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            ordinary = number == signal.SIGINT
            signal.signal(number, signal.default_int_handler if ordinary else signal.SIG_DFL)
    kept = fcntl.fcntl(wire, fcntl.F_DUPFD_CLOEXEC, 3)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    os.closerange(3, kept)
    os.closerange(kept + 1, _MOST_DESCRIPTORS)
    wire.detach()
    return socket.socket(fileno=kept)


def _obey(wire: socket.socket) -> int:
    """Wait for the order, and carry it out; end when there is none to come."""
    with wire:
        word, descriptors, _, _ = socket.recv_fds(wire, 1, 2)
    if not word:
        os._exit(0)
    output, written = descriptors
    with os.fdopen(written, "rb") as file:
        file.seek(0)  # the place in it is shared
        order = file.read()
    arguments, roots, name, folder, environment, mask = marshal.loads(order)  # noqa: S302 - ours, by fork
    _renew_streams(output)
    os.umask(mask)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    if not sys.flags.safe_path:
        sys.path[0] = folder
    sys.path[1:1] = [root for root in roots if root not in sys.path]
    sys.argv[1:] = arguments
    for each in [each for each in sys.modules if each.partition(".")[0] == "yakei"]:
        del sys.modules[each]  # checks shall not find the runner
    gc.freeze()
    return _run(name)


def _run(name: str) -> int:
    try:
        runpy.run_module(name, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return int(end.code or 0) & 0xFF
        sys.stderr.write(f"{end.code}\n")
        return 1
    return 0


def _renew_streams(output: int) -> None:
    """Speak to where we are told to; the runner's own streams, which are empty, are given up."""
    for number in (1, 2):
        os.dup2(output, number)
    os.close(output)
    encoding, errors = _encoding()
    sys.stdin = open(0, encoding=encoding, errors=errors, closefd=False)  # noqa: SIM115 - as Python itself does
    sys.stdout = _writing(1, encoding, errors)
    sys.stderr = _writing(2, encoding, "backslashreplace")
    sys.stderr.reconfigure(line_buffering=True)
    for name in ("stdin", "stdout", "stderr"):
        setattr(sys, f"__{name}__", getattr(sys, name))


def _encoding() -> tuple[str | None, str]:
    """Return what Python chose for the streams at its start; our own stdout is changed by now."""
    if sys.stdin is None:
        return None, "strict"
    return sys.stdin.encoding, sys.stdin.errors or "strict"


def _writing(descriptor: int, encoding: str | None, errors: str) -> TextIOWrapper:
    stream = open(descriptor, "w", encoding=encoding, errors=errors, closefd=False)  # noqa: SIM115 - see above
    stream.reconfigure(write_through=bool(os.environ.get("PYTHONUNBUFFERED")))
    return stream

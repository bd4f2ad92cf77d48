"""Runs pytest in a copy of this very process: what both of them import is imported once.

The copy is made to look, to pytest and to the checks, like `python -m pytest` in a process of its
own: the same arguments, streams, signals, environment, descriptors and modules.
"""

from __future__ import annotations

import atexit
import gc
import os
import runpy
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn

from yakei.execution.processes import ENDING_SIGNALS

_OURS = frozenset({"yakei", "yakei_shared"})
_PRESENT = frozenset(sys.modules)
"""What `site` and the console script have brought: pytest's own process would have it, too."""
_MOST_DESCRIPTORS = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Module:
    """A module that is to be run as a program: what comes after `python -m`."""

    name: str
    arguments: Sequence[str]
    roots: Sequence[str]
    """Folders of packages that the new process shall find, besides those that this one finds."""


def may_copy() -> bool:
    """Return whether this process is so far nothing but the runner.

    What the application's settings have imported, a check would find half set up; and a thread of
    this process would be missing in the copy.
    """
    known = sys.stdlib_module_names | _OURS
    strange = {name.partition(".")[0] for name in sys.modules.keys() - _PRESENT} - known
    threads = len(list(Path("/proc/self/task").iterdir()))
    return not strange and threads == 1


class Copy:
    """A copy of this process that runs a module; as much of a Popen as a family needs."""

    def __init__(
        self,
        module: Module,
        *,
        output: int,
        folder: Path,
        environment: Mapping[str, str],
        before: Callable[[], None],
    ) -> None:
        """Start it.

        Args:
            module: what it runs.
            output: takes its stdout and stderr.
            folder: where it works.
            environment: its environment variables.
            before: called in it before anything else.

        Raises:
            OSError: there is no memory or process left.
        """
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):  # else the copy would say it, too
                stream.flush()
        self.returncode: int | None = None
        self.pid = os.fork()
        if not self.pid:
            _live(lambda: _prepare(output, folder, environment, module, before), module)

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


def _live(prepare: Callable[[], None], module: Module) -> NoReturn:
    """Be another program to the end: the runner's own code never goes on in this process."""
    try:
        prepare()
        leave(_run(module))
    except BaseException:  # noqa: BLE001 - see above
        with suppress(BaseException):
            os.write(2, traceback.format_exc().encode(errors="replace"))
    finally:
        os._exit(1)


def leave(code: int) -> NoReturn:
    """End this process as Python does, but for taking down each module: that takes 20 ms."""
    with suppress(Exception):  # whatever a plugin has registered: the exit code is ours
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - as Python waits for threads
        atexit._run_exitfuncs()  # noqa: SLF001 - see above
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed, or never there
            stream.flush()
    os._exit(code)


def _run(module: Module) -> int:
    try:
        runpy.run_module(module.name, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return int(end.code or 0) & 0xFF
        sys.stderr.write(f"{end.code}\n")
        return 1
    return 0


def _prepare(
    output: int,
    folder: Path,
    environment: Mapping[str, str],
    module: Module,
    before: Callable[[], None],
) -> None:
    os.setsid()
    before()
    for number in ENDING_SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            ordinary = number == signal.SIGINT
            signal.signal(number, signal.default_int_handler if ordinary else signal.SIG_DFL)
    _renew_descriptors(output)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    if not sys.flags.safe_path:
        sys.path[0] = str(folder)
    sys.path[1:1] = [root for root in module.roots if root not in sys.path]
    sys.argv[1:] = module.arguments
    for name in [each for each in sys.modules if each.partition(".")[0] in _OURS]:
        del sys.modules[name]  # the plugin's side imports its own
    gc.freeze()


def _renew_descriptors(output: int) -> None:
    """Keep nothing of this process open, above all not its lock; what it uses stays referenced."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, number in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(descriptor, number)
    os.closerange(3, _MOST_DESCRIPTORS)
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

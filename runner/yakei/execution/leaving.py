"""How this process is told to end, and how it ends."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from yakei_shared.signals import signal_name

ENDING_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Terminated(BaseException):
    """This process was told to end; a BaseException, so that no `except Exception` takes it."""

    def __init__(self, signum: int) -> None:
        """Keep the signal; the exit code that a shell expects is 128 + `signum`."""
        super().__init__(f"ended by {signal_name(signum)}")
        self.signum = signum


class HeldBack:
    """Signals that came when an exception would have done harm."""

    signals: list[int] | None = None
    """None when none is held back: see `yakei.execution.starting.undisturbed`."""


HELD = HeldBack()


@contextmanager
def terminating() -> Iterator[None]:
    """Raise Terminated in the main thread at SIGTERM, SIGINT or SIGHUP, once.

    What is ignored already (`nohup`, a shell's background job) stays ignored. A second signal is
    ignored too, so that it cannot interrupt the ending of the children.
    """
    told = False

    def stop(signum: int, _: FrameType | None) -> None:
        nonlocal told
        if HELD.signals is not None:
            HELD.signals.append(signum)
        elif not told:
            told = True
            raise Terminated(signum)

    before = {}
    if threading.current_thread() is threading.main_thread():
        for signum in ENDING_SIGNALS:
            if signal.getsignal(signum) not in {signal.SIG_IGN, None}:
                before[signum] = signal.signal(signum, stop)
    try:
        yield
    finally:
        for signum, disposition in before.items():
            signal.signal(signum, disposition)


def leave(code: int) -> NoReturn:
    """End this process as Python does, but for taking down each module: that takes 20 ms."""
    with suppress(Exception):  # whatever a plugin has registered: the exit code is ours
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - as Python waits for threads
    with suppress(Exception):  # as above
        atexit._run_exitfuncs()  # noqa: SLF001 - as Python calls what is registered
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed, or never there
            stream.flush()
    os._exit(code)

"""What a check leaves changed in its process: processes, threads, folder, locale, signals."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # has no stubs; quicker than `signal`
import locale
import os
import resource
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from io import UnsupportedOperation
from typing import Any

import pytest

from pytest_yakei.engine import clock, linux

_KILL_PATIENCE = 0.5
"""Seconds; what is left after them, the parent names and ends."""
_THREAD_PATIENCE = 0.2
"""Seconds for all of them: one that was told to end needs a moment."""
_LIMITS = tuple(
    getattr(resource, name)
    for name in ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_DATA", "RLIMIT_FSIZE", "RLIMIT_NOFILE")
)
_SIGNALS = sorted(_signal.valid_signals())
_TIMERS = (signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)  # the third is pytest-timeout's
_SERVANTS = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")
"""Started on first use for the rest of the process's life."""


@dataclass(frozen=True)
class Surroundings:
    """What every check of a process finds, and may change for those after it."""

    process: dict[str, Any]
    children: frozenset[int]
    threads: frozenset[threading.Thread]

    @classmethod
    def now(cls) -> Surroundings:
        """Look around."""
        process = {
            "working directory": _folder(),
            "umask": _umask(),
            "locale": locale.setlocale(locale.LC_ALL),
            "signal handlers": [_signal.getsignal(number) for number in _SIGNALS],
            "signal mask": _signal.pthread_sigmask(_signal.SIG_BLOCK, ()),
            "user": (*os.getresuid(), *os.getresgid()),
            "timers": [signal.getitimer(timer)[0] > 0 for timer in _TIMERS],
            "resource limits": [resource.getrlimit(limit) for limit in _LIMITS],
        }
        return cls(process, frozenset(_children()), frozenset(threading.enumerate()))

    def joined_by(self, before: Surroundings, after: Surroundings) -> Surroundings:
        """Return these with the processes and threads that have come between two others."""
        return replace(
            self,
            children=self.children | (after.children - before.children),
            threads=self.threads | (after.threads - before.threads),
        )

    def changed_since(self, at_call: Surroundings, at_start: Surroundings) -> list[str]:
        """Return what a check has changed for good.

        Args:
            at_call: when its own code began; what fixtures of a wider scope do comes before it.
            at_start: when the process began; what is as it was then has been put right.
        """
        return [
            name
            for name, value in self.process.items()
            if value not in (at_call.process[name], at_start.process[name])
        ]

    def threads_since(self, at_call: Surroundings) -> list[threading.Thread]:
        """Return the threads that a check has left running and that would keep a process alive."""
        new = self.threads - at_call.threads
        return [each for each in new if not each.daemon and each.is_alive()]

    def processes_since(self, at_call: Surroundings) -> dict[int, str]:
        """Return the command of each process that a check has left running, by pid."""
        new = {
            pid: linux.command_line(pid)
            for pid in self.children - at_call.children
            if linux.is_living(pid)
        }
        return {pid: text for pid, text in new.items() if not any(s in text for s in _SERVANTS)}


def closed_streams(config: pytest.Config) -> list[str]:
    """Return the name of what pytest captures into, if a check has closed it.

    `sys.stdout` is that file, and closing it is easy: a wrapper around its buffer does so when it
    is garbage. Nothing can be captured in this process any more, and each check would fail.
    """
    manager = config.pluginmanager.get_plugin("capturemanager")
    capture = getattr(manager, "_global_capturing", None)
    streams = (getattr(capture, "out", None), getattr(capture, "err", None))
    files = (getattr(stream, "tmpfile", None) for stream in streams)
    return ["standard streams"] if any(map(_is_closed, filter(None, files))) else []


def _is_closed(file: Any) -> bool:
    """Return whether a file, or the descriptor that it writes to, has been closed."""
    try:
        os.fstat(file.fileno())
    except UnsupportedOperation:  # in memory: --capture=sys
        return bool(file.closed)
    except (OSError, ValueError):  # ValueError: also when its buffer was detached
        return True
    return False


def still_living(threads: list[threading.Thread]) -> list[threading.Thread]:
    """Return which of these threads do not end, now that whoever has started them is taken down."""
    until = clock.monotonic() + _THREAD_PATIENCE
    for each in threads:
        each.join(max(0.0, until - clock.monotonic()))
    return [each for each in threads if each.is_alive()]


def end_processes(pids: set[int]) -> None:
    """Kill processes that a check has left, with all that they started."""

    def family() -> Iterator[int]:
        for pid in pids:
            yield from (pid, *linux.descendants(pid))

    linux.end_all(lambda: list(family()), _KILL_PATIENCE)


def _folder() -> str | None:
    with suppress(FileNotFoundError):
        return os.getcwd()  # noqa: PTH109 - asked twice for every check
    return None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _children() -> set[int]:
    try:  # the quickest way to learn that there are none
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return set()
    return linux.children(linux.own_pid())

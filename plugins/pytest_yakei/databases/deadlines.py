"""How long a database may take, enforced even where the driver's C code cannot be interrupted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

T = TypeVar("T")


class TooLate(Exception):  # noqa: N818 - reads as what it says
    """The work did not end in time and was given up."""


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """How long to wait for a database, by what it is busy with."""

    connect: timedelta = timedelta(seconds=5)
    """For the whole way to a usable connection: names, addresses, TLS, login."""
    statement: timedelta = timedelta(seconds=10)
    """For one statement, enforced by the server."""
    lock: timedelta = timedelta(seconds=5)
    """For one lock: longer than the DDL of a deploy usually takes."""
    idle_transaction: timedelta = timedelta(minutes=1)
    """Until the server ends a transaction that a check has left open."""
    grace: timedelta = timedelta(seconds=2)
    """For the server's own timeout to arrive here, before we cut the connection."""

    @property
    def answer(self) -> timedelta:
        """For the answer to one statement, enforced by us: a frozen server enforces nothing."""
        return self.statement + self.grace


class _Work(Generic[T]):
    """A call in a thread of its own, and what became of it."""

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._ended = threading.Event()
        self._error: BaseException | None = None
        self._values: list[T] = []
        threading.Thread(target=self._run, name="yakei-database", daemon=True).start()

    def _run(self) -> None:
        try:
            self._values.append(self._call())
        except BaseException as error:  # noqa: BLE001 - carried over to the thread that waits
            self._error = error
        finally:
            self._ended.set()

    def ended_within(self, limit: timedelta) -> bool:
        return self._ended.wait(limit.total_seconds())

    def result(self) -> T:
        if self._error:
            raise self._error
        return self._values[0]


def within(limit: timedelta, call: Callable[[], T], give_up: Callable[[], None]) -> T:
    """Return what a call that may block for ever returns, or raise what it raises, in time.

    libpq waits in C, where Python's signal handlers do not run. So the call is made in a thread,
    and this one waits in a way that pytest-timeout and Ctrl-C can end.

    Args:
        limit: how long to wait.
        call: what to do.
        give_up: makes the call end, as by cutting its connection; called when it is too late and
            when the waiting itself is interrupted.

    Raises:
        TooLate: the call did not end within the limit.
    """
    work = _Work(call)
    try:
        in_time = work.ended_within(limit)
    except BaseException:
        give_up()
        raise
    if in_time:
        return work.result()
    give_up()
    raise TooLate

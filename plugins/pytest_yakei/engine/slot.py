"""One slot, as the parent sees it: the two processes, their wires, and the check under way."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pytest_yakei.engine import renewal
from pytest_yakei.engine.files import Files
from pytest_yakei.engine.keeper import keep
from pytest_yakei.engine.limits import TimeLimit, limit_of
from pytest_yakei.engine.wire import Draft, Offers, Wire, pair
from pytest_yakei.records import worker_key

BROKEN_WORKER = 98
"""The exit code of a worker that failed outside of any check."""
_GRACE = 1.0
"""Seconds after its timeout when a check is taken to be out of Python's reach."""
_QUICK = 0.02
"""Seconds; a worker whose last check took less is offered the next one before it asks."""
_HOLD = 0.05
"""Seconds after which an offer that a worker has not claimed is taken back: others are free."""
_LEAVE = 5.0
"""Seconds that a worker may take to end after its last check."""


@dataclass
class Turn:
    """A check under way in a slot."""

    index: int
    item: pytest.Item
    limit: TimeLimit
    began: float = field(default_factory=time.monotonic)
    at: float = field(default_factory=time.time)
    reports: list[dict[str, Any]] = field(default_factory=list)

    @property
    def phase(self) -> str:
        """Which phase runs: the one after the last that was reported."""
        own = [each for each in self.reports if each.get("$report_type") == "TestReport"]
        if not own:
            return "setup"
        return (
            "call" if (own[-1]["when"], own[-1]["outcome"]) == ("setup", "passed") else "teardown"
        )

    @property
    def deadline(self) -> float | None:
        """When it has to be ended from outside, as time.monotonic() counts."""
        if self.limit.seconds is None:
            return None
        return self.began + self.limit.seconds + _GRACE


@dataclass
class Slot:
    """A keeper and its worker."""

    number: int
    keeper: int
    reports: Wire
    orders: Wire
    offers: Offers
    files: Files
    turn: Turn | None = None
    offered: int | None = None
    """The check that its worker may claim, and take next; -1 tells it that there is none."""
    is_early: bool = False
    """Whether the offer came unasked: then the worker does not wait for it."""
    is_quick: bool = False
    finished: str = ""
    """The id of the last check that its worker has finished."""
    reason: str = ""
    """Why its worker is being ended, when it is we who do so."""
    give_up_at: float = 0.0
    """When a keeper that was ordered to end its worker is given up itself."""
    leaves_at: float | None = None
    """When a worker that has no more checks is ended."""

    @property
    def worker(self) -> str:
        """The name of its worker, which no other one of this session has had."""
        return _name(self.number)

    @property
    def nodeid(self) -> str:
        """The id of the check under way; empty when there is none."""
        return self.turn.item.nodeid if self.turn else ""

    def begin(self, index: int, item: pytest.Item) -> None:
        """Note that its worker runs this check from now on."""
        self.offered = None
        self.turn = Turn(index, item, limit_of(item))

    def finish(self) -> None:
        """Note that its worker has finished its check."""
        if self.turn:
            self.is_quick = time.monotonic() - self.turn.began < _QUICK
            self.finished = self.turn.item.nodeid
        self.turn = None

    def offer(self, index: int, hint: int, *, early: bool = False) -> None:
        """Offer its worker a check to take next."""
        self.offered, self.is_early = index, early
        with suppress(OSError):  # the worker is dead; its keeper will say so
            self.offers.offer(index, hint)

    def take_back(self) -> int | None:
        """Return the check that its worker has not claimed, which it will not get any more."""
        index = self.offered
        if index is None or not self.is_early or self.offers.claim(wait=False) is None:
            return None
        self.offered = None
        return index

    def leave(self) -> None:
        """Note that its worker has no check any more."""
        self.finish()
        self.leaves_at = time.monotonic() + _LEAVE

    @property
    def deadline(self) -> float | None:
        """When something has to be done about it, as time.monotonic() counts."""
        if self.reason:
            return self.give_up_at
        return self.turn.deadline if self.turn else self.leaves_at

    @property
    def is_late(self) -> bool:
        """Whether something has to be done about it now."""
        deadline = self.deadline
        return deadline is not None and time.monotonic() >= deadline

    @property
    def holds_too_long(self) -> bool:
        """Whether a check has been offered that its worker does not come to."""
        return (
            self.offered is not None
            and self.is_early
            and self.turn is not None
            and time.monotonic() > self.turn.began + _HOLD
        )

    def end(self, reason: str, patience: float) -> None:
        """Have the keeper end the worker; after `patience` seconds the keeper is given up."""
        self.reason = reason
        self.give_up_at = time.monotonic() + patience
        with suppress(OSError):  # the keeper is dead: the next look finds that out
            self.orders.send("end")
            os.kill(self.keeper, signal.SIGCONT)  # a check can stop its parent

    def close(self) -> None:
        """Close our ends."""
        self.reports.close()
        self.orders.close()
        self.offers.close()
        self.files.close()


def start(
    session: pytest.Session,
    number: int,
    first: tuple[int, int],
    temporary: Path,
    others: Iterable[Slot],
) -> Slot:
    """Fork a keeper and a worker, whose first check is `first`, an index and the next one's.

    Raises:
        OSError: there is no memory, process or descriptor left.
    """
    files = Files.create(capturing=renewal.capturing(session.config))
    ours, reports = pair()
    we, orders = pair()
    offers = Offers()

    def work() -> None:
        from pytest_yakei.engine.worker import Worker

        session.config.stash[worker_key] = _name(number)
        folder = temporary / _name(number)
        if temporary.is_dir():
            folder.mkdir(mode=0o700)
        renewal.renew(session.config, session, files, folder)
        Worker(session, Wire(reports), Draft(files.draft), offers).run(first)

    keeper = _fork()
    if not keeper:
        _in_child(
            ours.close,
            we.close,
            *(each.close for each in others),
            lambda: keep(Wire(orders), files.words, lambda: _in_child(work)),
        )
    reports.close()
    orders.close()
    slot = Slot(number, keeper, Wire(ours), Wire(we), offers, files)
    slot.begin(first[0], session.items[first[0]])
    return slot


def _name(number: int) -> str:
    return f"worker-{number}"


def _fork() -> int:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # what is buffered would be said twice
            stream.flush()
    with warnings.catch_warnings():  # from 3.12 on about threads, of which a child uses none
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _in_child(*acts: Callable[[], object]) -> None:
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

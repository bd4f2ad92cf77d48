"""One slot, as the parent sees it: the two processes, their wires, and the check under way."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Generator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from pytest_yakei.engine import clock
from pytest_yakei.engine.departure import Ended, departure
from pytest_yakei.engine.files import Files
from pytest_yakei.engine.keeper import BIRTH
from pytest_yakei.engine.limits import TimeLimit, limit_of
from pytest_yakei.engine.nursery import Nursery
from pytest_yakei.engine.offers import Offer, Offers
from pytest_yakei.engine.wire import Listener, pair
from yakei_shared.canary import CANARY

_GRACE = 1.0
"""Seconds after its timeout when a check is taken to be out of Python's reach."""
_QUICK = 0.02
"""Seconds; a worker whose last check took less is offered the next one before it asks."""
_HOLD = 0.05
"""Seconds after which an offer that a worker has not claimed is taken back: others are free."""
_BIRTH_PATIENCE = 30.0
"""Seconds after which a worker that has not said who it is was lost before it could."""
_LEAVE = 5.0
"""Seconds that a worker may take to end after its last check."""


@dataclass
class Turn:
    """A check under way in a slot, as the parent sees it."""

    index: int
    item: pytest.Item
    limit: TimeLimit
    began: float = field(default_factory=clock.monotonic)
    at: float = field(default_factory=time.time)
    reports: list[dict[str, Any]] = field(default_factory=list)
    called: float = 0.0
    """When its setup was reported; its call began then."""

    def take(self, report: dict[str, Any]) -> None:
        """Keep a report that its worker has sent."""
        self.reports.append(report)
        if report.get("when") == "setup":
            self.called = clock.monotonic()

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
        """When it has to be ended from outside, as clock.monotonic() counts."""
        if self.limit.seconds is None:
            return None
        if self.limit.only_call and self.phase != "call":
            return None
        began = self.called if self.limit.only_call else self.began
        return began + self.limit.seconds + _GRACE


@dataclass
class Slot:
    """A worker, and the keeper that is its parent in our place."""

    name: str
    """The worker's, which no other one of this session has had."""
    life: socket.socket
    """Ends with the keeper; the worker says on it once which processes they are."""
    reports: Listener
    offers: Offers
    files: Files
    keeper: int = 0
    worker: int = 0
    """Both are 0 until the worker has said it."""
    asked: float = field(default_factory=clock.monotonic)
    """When it was asked for."""
    ends: int | None = None
    """A descriptor that is readable when the worker has ended."""
    turn: Turn | None = None
    offered: list[int] = field(default_factory=list)
    """The checks that its worker may claim, or has claimed and not begun; `NONE` tells it that
    there is none."""
    is_awaited: bool = False
    """Whether its worker waits for what it is offered, and so will get it."""
    is_quick: bool = False
    finished: str = ""
    """The id of the last check that its worker has finished."""
    reason: str = ""
    """Why its worker is being ended, when it is we who do so."""
    is_stillborn: bool = False
    """Whether its worker has ended before it could begin its first check."""
    departure: Generator[None, None, Ended] | None = None
    """How far its ending has come."""
    leaves_at: float | None = None
    """When a worker that has no more checks is ended."""

    @property
    def nodeid(self) -> str:
        """The id of the check under way; empty when there is none."""
        return self.turn.item.nodeid if self.turn else ""

    @property
    def is_working(self) -> bool:
        """Whether its worker may run checks: it has not ended, and is not being ended."""
        return self.departure is None

    def born(self) -> int | None:
        """Take in which processes they are; return `ends`, or None when the keeper is dead."""
        word = self.life.recv(BIRTH.size)
        if not word:
            return None
        self.keeper, self.worker = BIRTH.unpack(word)
        if self.turn:
            self.turn.began = clock.monotonic()  # who waits to be forked does not run yet
        with suppress(ProcessLookupError):  # both have just been killed
            self.ends = os.pidfd_open(self.worker)
        return self.ends

    def begin(self, index: int, item: pytest.Item) -> None:
        """Note that its worker runs this check from now on."""
        if index in self.offered:
            self.offered.remove(index)
        self.is_awaited = False
        self.turn = Turn(index, item, limit_of(item))

    def finish(self) -> None:
        """Note that its worker has finished its check."""
        if self.turn:
            self.finished = self.turn.item.nodeid
            took = clock.monotonic() - self.turn.began
            says_much = self.finished != CANARY  # which does nothing
            self.is_quick = says_much and took < _QUICK
        self.turn = None

    def offer(self, offer: Offer) -> None:
        """Offer its worker a check to take next."""
        self.offered.append(offer.check)
        with suppress(OSError):  # the worker is dead, and will be found so
            self.offers.offer(offer)

    def take_back(self) -> list[int]:
        """Return the checks that its worker has not claimed, which it will not get any more."""
        taken: list[int] = []
        if self.is_awaited:
            return taken
        while self.offered and (offer := self.offers.claim(wait=False)):
            taken.append(offer.check)
            self.offered.remove(offer.check)
        return taken

    def leave(self) -> None:
        """Note that its worker has no check any more."""
        self.finish()
        self.leaves_at = clock.monotonic() + _LEAVE

    @property
    def is_late(self) -> bool:
        """Whether its worker has to be ended now."""
        deadline = self.turn.deadline if self.turn else self.leaves_at
        known = self.is_working and self.worker
        return bool(known) and deadline is not None and clock.monotonic() >= deadline

    @property
    def is_missing(self) -> bool:
        """Whether its worker ought to have said long ago which process it is."""
        return not self.worker and clock.monotonic() > self.asked + _BIRTH_PATIENCE

    @property
    def holds_too_long(self) -> bool:
        """Whether a check has been offered that its worker does not come to."""
        return (
            bool(self.offered)
            and self.turn is not None
            and clock.monotonic() > self.turn.began + _HOLD
        )

    def depart(self, nursery: Nursery, reason: str = "") -> None:
        """Begin to end it: with a reason its worker, too, which else has ended by itself."""
        self.reason = reason
        self.departure = departure(
            self.keeper, self.worker, self.files.words, nursery.reap, ordered=bool(reason)
        )

    def kill(self) -> None:
        """End the worker and its keeper at once; they, and what they started, become ours."""
        for pid in filter(None, (self.worker, self.keeper)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def close(self) -> None:
        """Close our ends."""
        self.reports.close()
        self.life.close()
        self.offers.close()
        self.files.close()
        if self.ends is not None:
            os.close(self.ends)


def start(nursery: Nursery, first: Offer, *, name: str, folder: str, capturing: bool) -> Slot:
    """Have a keeper and a worker forked; the worker will say which processes they are.

    Args:
        nursery: forks them.
        first: the worker's first check, which has still to be begun.
        name: the worker's.
        folder: the worker's temporary folder; empty when there is none.
        capturing: whether pytest captures output into files.

    Raises:
        OSError: there is no memory, process or descriptor left.
    """
    with ExitStack() as stack:
        files = Files.create(capturing=capturing)
        stack.callback(files.close)
        told, reports = map(stack.enter_context, pair())
        life, keepers = map(stack.enter_context, pair())
        offers = Offers()
        stack.callback(offers.close)
        theirs = (keepers.fileno(), reports.fileno(), offers.fileno(), *files.descriptors)
        nursery.fork(theirs, (name, folder, tuple(first)))  # marshal knows no class of ours
        stack.pop_all()
    reports.close()
    keepers.close()
    return Slot(name, life, Listener(told, files.draft), offers, files)

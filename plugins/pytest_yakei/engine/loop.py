"""The parent's loop: hands out checks, hears the workers, ends what is stuck, starts anew."""

from __future__ import annotations

import gc
import os
import selectors
import signal
import time
from contextlib import suppress

import pytest

from pytest_yakei.engine import linux, renewal
from pytest_yakei.engine.clearing import end_slots, sweep
from pytest_yakei.engine.endings import TIMED_OUT, WROTE_TOO_MUCH
from pytest_yakei.engine.hearing import Hearing
from pytest_yakei.engine.preloading import preload
from pytest_yakei.engine.replay import Replay
from pytest_yakei.engine.resources import needs_of, share, unshare
from pytest_yakei.engine.slot import Slot, start
from pytest_yakei.engine.waiting import NONE, Waiting

_MOST_OUTPUT = 1 << 28
"""Bytes that one phase of a check may write before it is ended: the disk is everybody's."""
_LOOK = 0.05
"""Seconds between two looks at how long the checks run, and at what they have written."""
_YOUNG = 0.01
"""Seconds; a check that has run for longer waits for something, and leaves a processor free."""
_KEEPER_PATIENCE = 1.5
"""Seconds that a keeper gets to end its worker: it takes at most 0.9."""


class Loop:
    """Runs a session's checks in slots, once."""

    def __init__(self, session: pytest.Session, count: int) -> None:
        self._session = session
        self._items = session.items
        self._count = count
        self._needs = needs_of(session.config, session.items, count)
        self._waiting = Waiting(session, self._needs, count)
        self._selector = selectors.DefaultSelector()
        self._replay = Replay(session.config)
        strangers = linux.children(os.getpid())
        self._hearing = Hearing(session, self._waiting, self._replay, strangers)
        self._slots = self._waiting.slots = self._hearing.slots
        self._started = 0
        self._looked = 0.0
        self._processors = len(os.sched_getaffinity(0))

    def run(self) -> None:
        """Run every check, or as many as the session wants.

        Raises:
            KeyboardInterrupt: a check, or the user, has interrupted the session.
            pytest.exit.Exception: a check has ended the session.
        """
        self._temporary = renewal.prepare_temporary_folder(self._session.config, self._items)
        preload(self._session.config, self._items)
        share(self._session.config, self._needs)
        linux.adopt_orphans()
        gc.freeze()  # what a child does not touch stays shared with us
        try:
            self._fill()
            while self._slots or self._waiting:
                self._wait()
                self._fill()
            self._hearing.account_for_all()
        finally:
            end_slots(self._slots, _KEEPER_PATIENCE)
            sweep((), self._hearing.strangers)
            unshare(self._session.config)
            gc.unfreeze()
            linux.adopt_orphans(adopt=False)
            self._selector.close()

    def _fill(self) -> None:
        """Start slots as they are needed: one that computes is of no use without a processor."""
        young = time.monotonic() - _YOUNG
        turns = [slot.turn for slot in self._slots if slot.turn]
        if sum(turn.began > young for turn in turns) >= self._processors:
            return
        # Twice as many each time: a suite that waits has all its slots soon.
        for _ in range(max(self._processors, len(self._slots))):
            if not self._waiting or len(self._slots) >= self._count:
                return
            if not self._start():
                return

    def _start(self) -> bool:
        """Start a slot, and return whether another might follow it."""
        first = self._waiting.next()
        if first[0] == NONE:  # its host has just been asked by another slot
            return False
        self._started += 1
        try:
            slot = start(self._session, self._started, first, self._temporary, self._slots)
        except OSError:  # too many processes, or descriptors: fewer slots will do
            self._waiting.put_back(first[0])
            self._count = len(self._slots)
            if not self._count:
                raise
            return False
        self._slots.append(slot)
        self._selector.register(slot.reports, selectors.EVENT_READ, slot)
        self._selector.register(slot.orders, selectors.EVENT_READ, slot)
        self._replay.started(self._items[first[0]], slot.worker)
        return True

    def _wait(self) -> None:
        for key, _ in self._selector.select(self._patience()):
            slot: Slot = key.data
            if slot not in self._slots:  # ended while we heard another one
                continue
            if key.fileobj is slot.reports:
                if not self._hearing.hear(slot):  # how it ended, its keeper will say
                    self._selector.unregister(slot.reports)
            elif not self._hearing.hear_keeper(slot):
                self._remove(slot)
        now = time.monotonic()
        if now >= self._looked + _LOOK or self._waiting.stops:
            self._looked = now
            for slot in list(self._slots):
                self._look_after(slot)

    def _patience(self) -> float:
        """Return how many seconds we may wait for somebody to say something."""
        grows = self._waiting and len(self._slots) < self._count
        return min(_YOUNG, self._waiting.gap) if grows else _LOOK

    def _look_after(self, slot: Slot) -> None:
        if slot.holds_too_long or self._waiting.stops:
            self._waiting.recall(slot)
        if not slot.reason and slot.files.written() > _MOST_OUTPUT:
            slot.end(WROTE_TOO_MUCH, _KEEPER_PATIENCE)
        if slot.is_late and not slot.reason:
            self._hearing.hear(slot)  # its last report may just have come
        if not slot.is_late:
            return
        if slot.reason:
            with suppress(ProcessLookupError):
                os.kill(slot.keeper, signal.SIGKILL)
            return
        if slot.turn is None:
            text = "its worker did not end after its last check, and was ended"
            self._replay.remark(text, slot.finished)
        slot.end(TIMED_OUT, _KEEPER_PATIENCE)

    def _remove(self, slot: Slot) -> None:
        """Forget a slot whose keeper has ended."""
        for wire in (slot.reports, slot.orders):
            with suppress(KeyError):
                self._selector.unregister(wire)
        self._slots.remove(slot)
        slot.close()

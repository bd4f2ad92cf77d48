"""The parent's loop: hands out checks, hears the workers, ends what is stuck, starts anew."""

from __future__ import annotations

import gc
import selectors
from contextlib import suppress
from typing import Any

import pytest

from pytest_yakei.engine import clock, linux, renewal
from pytest_yakei.engine.clearing import end_slots, sweep
from pytest_yakei.engine.departure import STEP
from pytest_yakei.engine.endings import TIMED_OUT, WROTE_TOO_MUCH
from pytest_yakei.engine.hearing import Hearing
from pytest_yakei.engine.nursery import Nursery, Prepared
from pytest_yakei.engine.offers import NONE
from pytest_yakei.engine.preloading import preload
from pytest_yakei.engine.preparation import preparation
from pytest_yakei.engine.replay import replay_of
from pytest_yakei.engine.resources import needs_of, share, unshare
from pytest_yakei.engine.room import limit_of_descriptors, restore_limit, room_for
from pytest_yakei.engine.slot import Slot, start
from pytest_yakei.engine.slot_count import YOUNG, SlotCount
from pytest_yakei.engine.waiting import Waiting
from yakei_shared import prctl
from yakei_shared.canary import CANARY

_ABSENCE = 1.0
"""Seconds between two looks after which we were kept from looking."""
_MOST_OUTPUT = 1 << 28
"""Bytes that one phase of a check may write before it is ended: the disk is everybody's."""
_LOOK = 0.05
"""Seconds between two looks at how long the checks run, and at what they have written."""


class Loop:
    """Runs a session's checks in slots, once."""

    def __init__(self, session: pytest.Session, count: int) -> None:
        self._session = session
        self._items = session.items
        self._asked = count
        self._limit = limit_of_descriptors()
        self._needs = needs_of(session.config, session.items, count)
        self._waiting = Waiting(session, self._needs, count)
        self._selector = selectors.DefaultSelector()
        self._replay = replay_of(session)
        self._nursery = Nursery(self._prepare)
        self._hearing = Hearing(session, self._waiting, self._replay, self._nursery)
        self._slots = self._waiting.slots = self._hearing.slots
        self._is_capturing = renewal.capturing(session.config)
        self._started = 0
        self._looked = 0.0

    def run(self) -> None:
        """Run every check, or as many as the session wants.

        Raises:
            KeyboardInterrupt: a check, or the user, has interrupted the session.
            pytest.exit.Exception: a check has ended the session.
        """
        self._temporary = renewal.prepare_temporary_folder(self._session.config, self._items)
        preload(self._session.config, self._items)
        share(self._session.config, self._needs)
        prctl.adopt_orphans()
        gc.freeze()  # what a child does not touch stays shared with us
        try:
            self._nursery.start()
            with room_for(self._asked) as wanted:
                self._count = SlotCount(wanted)
                self._fill()
                while self._slots or self._waiting:
                    self._wait()
                    self._fill()
            self._hearing.account_for_all()
        finally:
            self._nursery.end()
            end_slots(self._slots)
            sweep((), self._hearing.strangers)
            self._replay.end()
            unshare(self._session.config)
            prctl.adopt_orphans(adopt=False)
            self._selector.close()

    def _prepare(self) -> Prepared:
        """Prepare, in the nursery, what all workers need."""
        restore_limit(self._limit)
        prepared = preparation(self._session, self._asked)()
        self._replay.prepare_workers()
        return prepared

    def _fill(self) -> None:
        """Start slots as they are needed."""
        for _ in range(self._count.more(self._slots, clock.monotonic())):
            if not self._waiting or not self._start():
                return

    def _start(self) -> bool:
        """Start a slot, and return whether another might follow it."""
        first = self._waiting.next()
        if first.check == NONE:  # its host has just been asked by another slot
            return False
        self._started += 1
        name = f"worker-{self._started}"
        folder = str(self._temporary / name) if self._temporary else ""
        try:
            slot = start(
                self._nursery, first, name=name, folder=folder, capturing=self._is_capturing
            )
        except OSError as error:  # too many processes, or descriptors: fewer slots will do
            self._waiting.put_back(first.check)
            self._do_with_fewer(f"{error.strerror}")
            return False
        slot.begin(first.check, self._items[first.check])
        if self._items[first.check].nodeid == CANARY:  # it is no work for a slot of its own
            self._hearing.offer_next(slot)
        self._slots.append(slot)
        self._selector.register(slot.reports, selectors.EVENT_READ, slot)
        self._selector.register(slot.life, selectors.EVENT_READ, slot)
        self._replay.started(self._items[first.check], slot.name)
        return True

    def _do_with_fewer(self, why: str) -> None:
        """Go on with the slots there are for a while, and a new nursery if the old one was killed.

        Args:
            why: there is one less; empty when nobody has said.

        Raises:
            RuntimeError: there are none, again and again, or the nursery is killed so.
        """
        if not self._nursery.is_living():
            self._nursery.revive(self._close_all)
            return
        why = why or "see `ulimit -u` and `ulimit -n`"
        if self._count.lessen(len(self._slots), why, clock.monotonic()):
            self._replay.remark(f"checks wait, as not all slots can begin: {why}", "")

    def _close_all(self) -> None:
        for slot in self._slots:
            slot.close()

    def _wait(self) -> None:
        for key, _ in self._selector.select(self._patience()):
            slot: Slot = key.data
            if slot in self._slots:  # else it was ended while we heard another one
                self._hear(slot, key.fileobj)
        now = clock.monotonic()
        if now >= self._looked + _LOOK or self._waiting.stops:
            self._forgive(now - self._looked)
            self._looked = now
            for slot in list(self._slots):
                self._look_after(slot)
            self._replay.look()
        for slot in [each for each in self._slots if not each.is_working]:
            if not self._hearing.see_out(slot):
                continue
            if slot.is_stillborn:
                self._miss(slot)
            else:
                self._remove(slot)

    def _forgive(self, seconds: float) -> None:
        """Charge no check for time in which we ourselves were stopped, or in a slow hook."""
        if seconds < _ABSENCE or not self._looked:
            return
        for slot in self._slots:
            if slot.turn is not None:
                slot.turn.began += seconds
                slot.turn.called += seconds

    def _hear(self, slot: Slot, source: object) -> None:
        if source is slot.reports:
            if not self._hearing.hear(slot):  # how its worker ended, we shall see
                self._selector.unregister(slot.reports)
        elif source is slot.life and (ends := slot.born()):
            self._selector.register(ends, selectors.EVENT_READ, slot)
        elif source is slot.life and not slot.keeper:
            self._miss(slot)
        elif source is slot.life or not linux.is_living(slot.keeper):
            self._hearing.lose_keeper(slot)
            self._remove(slot)
        elif slot.is_working:
            self._depart(slot)

    def _miss(self, slot: Slot) -> None:
        """Give up a slot that could not be forked, or not begin: its check has not begun."""
        if slot.turn:
            self._waiting.put_back(slot.turn.index)
        self._waiting.recall_all(slot)
        said = slot.files.last_words().strip().splitlines()
        self._remove(slot)
        if slot.asked >= self._nursery.began:  # else it died with a nursery that is replaced
            self._do_with_fewer(said[-1] if said else "")

    def _depart(self, slot: Slot, reason: str = "") -> None:
        slot.depart(self._nursery, reason)
        self._ignore(slot.life, slot.ends)

    def _patience(self) -> float:
        """Return how many seconds we may wait for somebody to say something."""
        if not all(slot.is_working for slot in self._slots):
            return min(STEP, self._waiting.gap)
        grows = self._waiting and len(self._slots) < self._count.most
        return min(YOUNG, self._waiting.gap) if grows else _LOOK

    def _look_after(self, slot: Slot) -> None:
        if slot.is_working:
            self._hearing.look(slot)
        if slot.holds_too_long or self._waiting.stops:
            self._waiting.recall(slot)
        if slot.is_missing:
            self._miss(slot)
            return
        if slot.is_working and slot.worker and slot.files.written() > _MOST_OUTPUT:
            self._depart(slot, WROTE_TOO_MUCH)
        if not slot.is_late:
            return
        if slot.turn is None:
            text = "its worker did not end after its last check, and was ended"
            self._replay.remark(text, slot.finished)
        self._depart(slot, TIMED_OUT)

    def _remove(self, slot: Slot) -> None:
        """Forget a slot that is over."""
        if slot.finished:
            self._count.well()
        self._ignore(slot.reports, slot.life, slot.ends)
        self._slots.remove(slot)
        slot.close()

    def _ignore(self, *sources: Any) -> None:
        for source in sources:
            with suppress(KeyError, ValueError):  # it is not heard any more, or was not yet
                self._selector.unregister(source)

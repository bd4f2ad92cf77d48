"""What the parent does with the words and the ends of workers: it tells, hands out and judges."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_yakei.engine import clock, linux, properties
from pytest_yakei.engine.clearing import sweep
from pytest_yakei.engine.departure import Ended
from pytest_yakei.engine.endings import BROKE_PYTEST, QUIT, cause_of, could_not_begin, last_reports
from pytest_yakei.engine.nursery import Nursery
from pytest_yakei.engine.offers import NONE
from pytest_yakei.engine.replay import Replay
from pytest_yakei.engine.slot import Slot, Turn
from pytest_yakei.engine.waiting import Waiting
from pytest_yakei.engine.wire import Message
from pytest_yakei.suite import suite_key

_AHEAD = 32
"""Checks that a worker whose checks are quick is offered before it asks."""
_AFTERMATH = 0.5
"""Seconds in which a check may still suffer from what the one before it has done."""


class Hearing:
    """Hears the slots of one session.

    Attributes:
        slots: all of them; the loop adds and removes.
        strangers: children of this process that no slot's end shall wait for: those from before
            the first slot, and those that cannot be ended.
    """

    def __init__(
        self,
        session: pytest.Session,
        waiting: Waiting,
        replay: Replay,
        nursery: Nursery,
    ) -> None:
        self.slots: list[Slot] = []
        self.strangers = linux.children(linux.own_pid())
        self._nursery = nursery
        self._session = session
        self._waiting = waiting
        self._replay = replay
        suite = session.config.stash.get(suite_key, None)
        self._in_runner = suite is not None and suite.in_runner
        """Then no check may end the others' session."""
        self._again: set[int] = set()
        self._told: set[int] = set()

    def account_for_all(self) -> None:
        """Stop rather than be silent about a check that was never judged."""
        lost = set(range(len(self._session.items))) - self._told
        if lost and not self._waiting.stops:
            ids = ", ".join(self._session.items[index].nodeid for index in sorted(lost))
            raise RuntimeError(f"{len(lost)} checks had no turn, which is a mistake of ours: {ids}")

    def hear(self, slot: Slot) -> bool:
        """Take in what a worker has to say; return whether it may say more."""
        messages, is_open = slot.reports.arrived()
        for message in messages:
            self._take(slot, message)
        return is_open

    def look(self, slot: Slot) -> None:
        """Take in what a worker has noted, and did not find worth sending yet."""
        self.hear(slot)
        for message in slot.reports.unsent():
            self._take(slot, message)

    def _take(  # noqa: C901, PLR0912 - one case for each message
        self, slot: Slot, message: Message
    ) -> None:
        match message:
            case ("report" | "done", *_) if slot.reason:
                pass  # too late: to write its stacks may have woken a check from what held it
            case ("report", data) if slot.turn:
                slot.turn.take(data)  # whatever id a hook has given it
            case ("next",):
                slot.is_awaited = True
                if not slot.offered:
                    slot.offer(self._waiting.next(slot))
            case ("done", last, failed_subtests, retires, follower, fail, stop):
                self._finish(slot, last, failed_subtests)
                self._session.shouldfail = self._session.shouldfail or fail
                self._session.shouldstop = self._session.shouldstop or stop
                self._go_on(slot, follower, retires=retires)
            case ("warning", told, when, nodeid, location):
                self._replay.warn(told, when, nodeid, location)
            case ("left", processes, threads):
                self._replay.leftovers(slot.nodeid, processes, threads)
            case ("changed", names) if slot.turn:
                text = f"changed the {', '.join(names)} of its process, which is not used any more"
                self._replay.remark(text, slot.turn.item.nodeid)
            case ("junit", nodeid, name, value):
                properties.write(self._session.config, nodeid, name, value)
            case ("secret", secret):
                self._replay.learn(secret)
            case ("exit" | "interrupt", text, *_) if slot.turn and self._in_runner:
                self._give_up(slot, QUIT, text)
            case ("exit", reason, code):
                raise pytest.exit.Exception(reason, code)
            case ("interrupt", text):
                raise KeyboardInterrupt(*filter(None, [text]))
            case ("broken", text) if slot.turn:
                self._give_up(slot, BROKE_PYTEST, text)
            case ("report", _):
                pass  # of a subtest, by a thread that runs on after the worker's last check
            case _:
                name = f"{message[0]!r} of {slot.name}"
                raise RuntimeError(f"{name} was not to be expected, which is a mistake of ours")

    def _give_up(self, slot: Slot, reason: str, told: str) -> None:
        """Judge the check of a worker that ends itself, and has said why."""
        slot.reason = reason
        self._conclude(slot, Ended(0), told)
        slot.reason = ""

    def _finish(self, slot: Slot, last: dict[str, Any] | None, failed_subtests: int) -> None:
        """Tell what a check did."""
        if slot.turn:
            reports = [*slot.turn.reports, last] if last else slot.turn.reports
            self._tell(slot.turn, reports, failed_subtests)

    def _tell(self, turn: Turn, reports: list[dict[str, Any]], failed_subtests: int = 0) -> None:
        self._told.add(turn.index)
        self._replay.finished(turn.item, reports, failed_subtests)

    def _go_on(self, slot: Slot, follower: int, *, retires: bool) -> None:
        """Begin the time of the check that a worker has claimed, if it has."""
        if follower == NONE or retires or slot.reason:
            if follower in slot.offered:
                slot.offered.remove(follower)
            slot.is_awaited = False
            self._waiting.recall(slot)
            self._waiting.put_back(follower)
            slot.leave()
            return
        slot.finish()
        slot.begin(follower, self._session.items[follower])
        self._replay.started(self._session.items[follower], slot.name)
        if slot.is_quick and len(slot.offered) <= _AHEAD // 2:
            self._offer_ahead(slot)

    def offer_next(self, slot: Slot) -> None:
        """Offer a worker one more check, if there is any that it may run."""
        offer = self._waiting.next(slot)
        if offer.check != NONE:
            slot.offer(offer)

    def _offer_ahead(self, slot: Slot) -> None:
        """Offer a worker whose checks are quick its fair part of what waits."""
        fair = len(self._waiting) // (2 * len(self.slots))
        for _ in range(min(_AHEAD - len(slot.offered), max(fair, 1))):
            offer = self._waiting.next(slot)
            if slot.offered and self._waiting.takes_up(slot, [*slot.offered, offer.check]):
                self._waiting.put_back(offer.check)  # others need it meanwhile
                return
            if offer.check == NONE:
                return
            slot.offer(offer)

    def see_out(self, slot: Slot) -> bool:
        """Go one step on in ending a slot; return whether it is over.

        Its check is judged then, unless the worker could not begin it.
        """
        if slot.departure is None:
            return False
        try:
            next(slot.departure)
        except StopIteration as over:
            ended: Ended = over.value
        else:
            return False
        self.look(slot)
        self._replay.leftovers(slot.nodeid, list(ended.left), [])
        self.strangers.update(pid for pid, _ in ended.immortal)  # nobody waits for them
        slot.is_stillborn = not slot.finished and could_not_begin(slot.turn, ended.status)
        if not slot.is_stillborn:
            self._conclude(slot, ended)
        return True

    def lose_keeper(self, slot: Slot) -> None:
        """Judge the check whose keeper has died: a check can kill its parent."""
        status = self._nursery.reap(slot.keeper)
        keepers = {each.keeper for each in self.slots} - {slot.keeper}
        sweep({self._nursery.pid, *keepers}, self.strangers)
        self.look(slot)
        turn = slot.turn
        # The kernel takes a moment: the check before may have done it, and this one is innocent.
        is_new = turn is not None and clock.monotonic() < turn.began + _AFTERMATH
        if turn is not None and is_new and slot.finished and turn.index not in self._again:
            self._again.add(turn.index)
            self._waiting.put_back(turn.index)
            slot.turn = None
            text = f"the process that keeps its worker died after it; {turn.item.nodeid} runs again"
            self._replay.remark(text, slot.finished)
        self._conclude(slot, Ended(status, by_keeper=True))

    def _conclude(self, slot: Slot, ended: Ended, told: str = "") -> None:
        """Judge the check whose worker has ended, if there is one."""
        self._waiting.recall_all(slot)
        if slot.turn is None:
            return
        cause = cause_of(slot, slot.turn, ended, told)
        reports = [*slot.turn.reports, *last_reports(slot, slot.turn, cause)]
        self._tell(slot.turn, reports)
        slot.leave()

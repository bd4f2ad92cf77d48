"""The checks that have had no turn yet, and which of them may have it now."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence

import pytest

from pytest_yakei.engine import clock
from pytest_yakei.engine.offers import NONE, Offer
from pytest_yakei.engine.resources import NOTHING, Needs
from pytest_yakei.engine.slot import Slot

_SPREAD = 0.1
"""Seconds over which the slots' first checks of one resource are spread: enough that its host does
not see all of them in the same millisecond, and about what the forks take anyway."""
_NEAR = 64
"""How far ahead of its turn a check may be taken by a worker that has its database open."""

Queue = deque[int]


class Waiting:
    """A session's checks by their indexes, in its order; one that is put back comes next.

    A check whose resources are all in use has to wait, and those after it go first: no slot is
    idle while anything can be done. One that needs two resources therefore waits until both are
    free in the same moment, which is at the latest when all others that need them are done.

    Attributes:
        slots: all that run now; the loop adds and removes.
        gap: seconds between the beginnings of two slots whose checks share a resource; without
            any such check it never ends the parent's sleep.
    """

    def __init__(self, session: pytest.Session, needs: Needs, count: int) -> None:
        self.slots: Sequence[Slot] = ()
        self.gap = _SPREAD / count if needs.of_checks else math.inf
        self._session = session
        self._needs = needs
        self._queues: dict[frozenset[str], Queue] = {}
        self._begun: dict[str, float] = {}
        for index in range(len(session.items)):
            self._queues.setdefault(needs.of(index), deque()).append(index)

    def __bool__(self) -> bool:
        """Whether there is one that may have its turn in one more slot."""
        return not self.stops and any(self._permitted(None))

    def __len__(self) -> int:
        """How many there are."""
        return sum(map(len, self._queues.values()))

    @property
    def stops(self) -> bool:
        """Whether the session wants no check to begin any more."""
        return bool(self._session.shouldfail or self._session.shouldstop)

    def next(self, slot: Slot | None = None) -> Offer:
        """Take the next check, and say which will probably follow it.

        Args:
            slot: whose worker runs it, after what it is at; None is one that is to be started.

        Returns:
            Both; `NONE` when there is none that may have its turn now.
        """
        queues = [] if self.stops else list(self._permitted(slot))
        if slot is None:
            queues = [queue for queue in queues if self._is_apart(queue)]
        if not queues:
            return Offer()
        queue = self._chosen(queues, slot)
        index = queue.popleft()
        if slot is None:
            self._begun.update(dict.fromkeys(self._needs.of(index), clock.monotonic()))
        heads = [each[0] for each in queues if each]
        return Offer(index, min(heads, default=NONE))

    def put_back(self, index: int) -> None:
        """Let a check have its turn after all; `NONE` is nothing."""
        if index != NONE:
            self._queues[self._needs.of(index)].appendleft(index)

    def recall(self, slot: Slot) -> None:
        """Put back what a slot was offered ahead, unless its worker has claimed it."""
        self._put_all_back(slot.take_back())

    def recall_all(self, slot: Slot) -> None:
        """Put back whatever a slot was offered: its worker has ended, and had not begun it."""
        self._put_all_back(slot.offered)
        slot.offered = []

    def takes_up(self, slot: Slot, indexes: Iterable[int]) -> bool:
        """Return whether any of these checks needs what is limited and its worker does not use."""
        limited = self._needs.limits.keys() - self._own(slot)
        return bool(limited) and any(self._needs.of(each) & limited for each in indexes)

    def _put_all_back(self, indexes: list[int]) -> None:
        for index in reversed(indexes):
            self.put_back(index)

    def _permitted(self, slot: Slot | None) -> Iterator[Queue]:
        """Yield the queues from which this slot may take a check: each is of the same needs."""
        limits = self._needs.limits
        used = self._users(slot) if limits else {}
        for needs, queue in self._queues.items():
            if queue and all(used.get(each, 0) < limits[each] for each in needs & limits.keys()):
                yield queue

    def _users(self, asking: Slot | None) -> Counter[str]:
        """Return how many other slots use each resource, or will by what they are offered."""
        used: Counter[str] = Counter()
        for slot in self.slots:
            if slot is not asking:
                used.update(self._own(slot).union(*map(self._needs.of, slot.offered)))
        return used

    def _own(self, slot: Slot) -> frozenset[str]:
        return self._needs.of(slot.turn.index) if slot.turn else NOTHING

    def _chosen(self, queues: list[Queue], slot: Slot | None) -> Queue:
        """Return the queue whose check is next: one that needs what is open goes a little first."""
        first = min(queues, key=lambda queue: queue[0])
        if slot is None or len(queues) == 1:
            return first
        limited = self._own(slot) & self._needs.limits.keys()
        own = self._queues.get(self._own(slot)) if limited else None
        is_open = own is not None and any(own is queue for queue in queues)
        return own if own and is_open and own[0] < first[0] + _NEAR else first

    def _is_apart(self, queue: Queue) -> bool:
        """Return whether nobody has just begun to ask for what the queue's checks need."""
        begun = [self._begun[each] for each in self._needs.of(queue[0]) if each in self._begun]
        return not begun or clock.monotonic() >= max(begun) + self.gap

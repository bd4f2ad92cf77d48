"""The checks that have had no turn yet, and what is on offer of them."""

from __future__ import annotations

from collections import deque

import pytest

from pytest_yakei.engine.slot import Slot

NONE = -1
"""Stands for a check where there is none."""


class Waiting:
    """A session's checks by their indexes, in its order; one that is put back comes next."""

    def __init__(self, session: pytest.Session) -> None:
        self._session = session
        self._indexes = deque(range(len(session.items)))

    def __bool__(self) -> bool:
        """Whether there is one that shall still have its turn."""
        return bool(self._indexes) and not self.stops

    @property
    def stops(self) -> bool:
        """Whether the session wants no check to begin any more."""
        return bool(self._session.shouldfail or self._session.shouldstop)

    def next(self) -> tuple[int, int]:
        """Take the next check, and say which will probably follow it."""
        if not self:
            return NONE, NONE
        index = self._indexes.popleft()
        return index, self._indexes[0] if self._indexes else NONE

    def put_back(self, index: int) -> None:
        """Let a check have its turn after all; `NONE` is nothing."""
        if index != NONE:
            self._indexes.appendleft(index)

    def recall(self, slot: Slot) -> None:
        """Put back what a slot was offered early, unless its worker has claimed it."""
        index = slot.take_back()
        if index is not None:
            self.put_back(index)

    def recall_all(self, slot: Slot) -> None:
        """Put back whatever a slot was offered: its worker has ended, and had not begun it."""
        self.recall(slot)
        if slot.offered is not None:
            self.put_back(slot.offered)
        slot.offered = None

"""How many slots there may be, also while some cannot begin."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

from pytest_yakei.engine.slot import Slot

YOUNG = 0.01
"""Seconds; a check that has run for longer waits for something, and leaves a processor free."""
_UNHEARD = 0.06
"""Seconds; the same of a worker whose checks are quick: it tells of several at once, so the one
that seems to run for that long may have made way for others."""

_MOST_MISSES = 3
"""How often in a row there may be no slot at all, because none can begin."""
_RECOVERY = 1.0
"""Seconds after which what kept a slot from beginning may be over."""


class SlotCount:
    """How many slots one session may have.

    Attributes:
        most: that many for now.
    """

    def __init__(self, wanted: int) -> None:
        """Say how many there shall be, when nothing keeps them from beginning."""
        self.most = self._wanted = wanted
        self._misses = 0
        self._missed = -math.inf
        """When a slot could not begin the last time."""
        self._processors = len(os.sched_getaffinity(0))

    def more(self, slots: Sequence[Slot], now: float) -> int:
        """Return how many may be started: one that computes is of no use without a processor."""
        if now >= self._missed + _RECOVERY:
            self.most = self._wanted
        elif not slots and self._misses:
            return 0
        working = [slot for slot in slots if slot.is_working]
        if sum(_computes(slot, now) for slot in working) >= self._processors:
            return 0
        # Twice as many each time: a suite that waits has all its slots soon.
        return min(max(self._processors, len(working)), self.most - len(working))

    def lessen(self, living: int, why: str, now: float) -> bool:
        """Let those suffice that live, for a while; return whether it is the first time.

        Args:
            living: how many there are, without the one that could not begin.
            why: it could not.
            now: as `clock.monotonic` counts.

        Raises:
            RuntimeError: there are none, again and again.
        """
        is_first = self._missed < 0
        self._missed = now
        self.most = max(1, living)
        self._misses += not living
        if self._misses == _MOST_MISSES:
            raise RuntimeError(f"no process can begin to run checks: {why}")
        return is_first

    def well(self) -> None:
        """Note that a slot has begun, and has finished a check."""
        self._misses = 0


def _computes(slot: Slot, now: float) -> bool:
    """Return whether a slot's check seems to compute: one that waits for long does not."""
    young = _UNHEARD if slot.is_quick else YOUNG
    return slot.turn is not None and slot.turn.began > now - young

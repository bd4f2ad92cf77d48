"""Ends what slots leave in the parent's hands: whole slots, and the orphans of a dead keeper."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_yakei.engine import linux
from pytest_yakei.engine.slot import Slot

_SWEEP_PATIENCE = 0.5
"""Seconds after which a killed process is left to die: all slots wait meanwhile."""


def end_slots(slots: list[Slot]) -> None:
    """End every slot, whatever it does; nothing is told of the checks in them.

    Their processes become ours, to be swept up, when the nursery has ended.
    """
    for slot in slots:
        slot.kill()
        slot.close()
    slots.clear()


def sweep(keepers: Iterable[int], strangers: Iterable[int]) -> None:
    """End what keepers that were killed have left: it has become ours.

    Args:
        keepers: the keepers that live.
        strangers: our children from before the first slot.
    """
    known = {*keepers, *strangers}

    def orphans() -> list[int]:
        found = linux.children(linux.own_pid()) - known
        return [each for pid in found for each in (pid, *linux.descendants(pid))]

    linux.end_all(orphans, _SWEEP_PATIENCE)

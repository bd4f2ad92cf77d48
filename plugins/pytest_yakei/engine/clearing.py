"""Ends what slots leave in the parent's hands: whole slots, and the orphans of a dead keeper."""

from __future__ import annotations

import os
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

    Each keeper and each worker begins a session of its own (setsid(2)). What is of ours, a hook of
    the suite has started here, as to send a message of its own.

    Args:
        keepers: the keepers that live.
        strangers: our children from before the first slot.
    """
    known = {*keepers, *strangers}

    def orphans() -> list[int]:
        found = linux.children(linux.own_pid()) - known
        orphans = (pid for pid in found if not _is_of_our_session(pid))
        return [each for pid in orphans for each in (pid, *linux.descendants(pid))]

    linux.end_all(orphans, _SWEEP_PATIENCE)


def _is_of_our_session(pid: int) -> bool:
    try:
        return os.getsid(pid) == os.getsid(0)
    except ProcessLookupError:
        return False

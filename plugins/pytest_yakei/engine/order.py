"""Which checks begin first: those that took longest in the last run, for the rest fits beside them.

A long check that begins last keeps all others' reports waiting for it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest

_SHORT = 0.5
"""Seconds; among shorter checks no order ends a run noticeably sooner."""
_SHARE = 10
"""A check that takes less than this part of the whole run ends a run by as little later."""


def longest_first(
    items: list[pytest.Item], durations: Mapping[str, float], slots: int
) -> list[pytest.Item]:
    """Return the checks with the long ones first, and the heavy ones, `every`, still behind all.

    Those that are about equally long, within a factor of two, keep their order, and so do all that
    are short or new: neighbours share the fixtures of their module, which every move may cost.

    Args:
        items: the checks, in pytest's order.
        durations: the seconds that each took last time, as far as known.
        slots: how many run at once.
    """
    took = {item: durations.get(item.nodeid, 0.0) for item in items}
    long = max(_SHORT, sum(took.values()) / slots / _SHARE)
    return sorted(items, key=lambda item: (_is_heavy(item), -_size(took[item] / long)))


def _is_heavy(item: pytest.Item) -> bool:
    return item.get_closest_marker("every") is not None


def _size(times: float) -> int:
    """Return a number that grows by one each time a check's length doubles; 0 for a short one."""
    return math.floor(math.log2(times)) + 1 if times >= 1 else 0

"""Which checks begin first: those that took longest in the last run, for the rest fits beside them.

A long check that begins last keeps all others' reports waiting for it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest

_LONG = 0.5
"""Seconds; among shorter checks no order ends a run noticeably sooner."""


def longest_first(items: list[pytest.Item], durations: Mapping[str, float]) -> list[pytest.Item]:
    """Return the checks with the long ones first, and the heavy ones, `every`, still behind all.

    Those that are about equally long, within a factor of two, keep their order, and so do all that
    are short or new: neighbours share the fixtures of their module, which every move may cost.

    Args:
        items: the checks, in pytest's order.
        durations: the seconds that each took last time, as far as known.
    """
    return sorted(items, key=lambda item: (_is_heavy(item), -_size(durations.get(item.nodeid, 0))))


def _is_heavy(item: pytest.Item) -> bool:
    return item.get_closest_marker("every") is not None


def _size(seconds: float) -> int:
    """Return a number that grows by one each time the seconds double; 0 for a short check."""
    return max(0, math.floor(math.log2(seconds / _LONG)) + 1) if seconds >= _LONG else 0

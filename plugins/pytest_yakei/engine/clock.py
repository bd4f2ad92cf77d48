"""The time that passes, also while a check has stopped Python's clocks, as freezegun does."""

from __future__ import annotations

import time


def monotonic() -> float:
    """Return seconds as `time.monotonic` counts them, of which freezegun knows the name."""
    return time.clock_gettime(time.CLOCK_MONOTONIC)

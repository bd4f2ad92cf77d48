"""How many runs have to fail before anybody is told: `3`, or `"3 of 5"`."""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST_WINDOW = 21
"""Runs that are remembered of each check."""
_SPELLED = re.compile(r"\s*(\d+)(?:\s+of\s+(\d+))?\s*")
_EXPECTED = f'a number of runs such as 3, or "3 of 5" with at most {LONGEST_WINDOW} runs'


@dataclass(frozen=True)
class Threshold:
    """So many runs have to fail: in a row, or of the last `window` runs."""

    failures: int
    window: int | None = None


def parse_threshold(value: object) -> Threshold:
    """Return what a marker or a key says.

    Raises:
        ValueError: it is neither `3` nor `"3 of 5"`, or no run could ever reach it.
    """
    whole = isinstance(value, int) and not isinstance(value, bool)
    match = _SPELLED.fullmatch(str(value)) if whole or isinstance(value, str) else None
    if match is None:
        raise ValueError(f"expected {_EXPECTED}, got {value!r}")
    failures, window = int(match[1]), int(match[2]) if match[2] else None
    if failures < 1 or (window is not None and not failures <= window <= LONGEST_WINDOW):
        raise ValueError(f"expected {_EXPECTED}, got {value!r}")
    return Threshold(failures, window)

"""How many runs have to fail before anybody is told: `3` in a row, or `"3 of 5"`."""

from __future__ import annotations

import re
from typing import NamedTuple

LONGEST_WINDOW = 21
"""Runs that are remembered of each check, the newest included."""
_WRITTEN = re.compile(r"\s*(\d+)(?:\s+of\s+(\d+))?\s*")


class Threshold(NamedTuple):
    """So many failing runs in a row; with a window, so many of that many last runs."""

    failures: int
    window: int | None = None


def parse_threshold(written: object) -> Threshold:
    """Return the threshold that `3` or `"3 of 5"` names.

    Raises:
        ValueError: it is neither, or no history of runs could ever reach it.
    """
    if isinstance(written, bool) or not isinstance(written, int | str):
        raise ValueError(f'expected a number of runs such as 3, or "3 of 5", got {written}')
    match = _WRITTEN.fullmatch(str(written))
    if match is None:
        shown = f'"{written}"' if isinstance(written, str) else written
        raise ValueError(f'expected at least 1 run, or such as "3 of 5", got {shown}')
    failures, window = int(match[1]), int(match[2]) if match[2] else None
    if failures < 1:
        raise ValueError(f"expected at least 1 failing run, got {written}")
    if window is not None and not failures <= window <= LONGEST_WINDOW:
        room = f"{failures} to {LONGEST_WINDOW}"
        raise ValueError(f'expected a window of {room} runs, got "{written}"')
    return Threshold(failures, window)

"""Finds what somebody may have meant who wrote a name that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from yakei.patterns import matches

_ALIKE = 0.5
"""Of an id; above it, at difflib's 0.6, hardly any id resembles a word of it."""


def nearest_name(written: str, known: Iterable[str]) -> str:
    """Return the advice that follows on an unknown name; empty when nothing is like it."""
    alike = difflib.get_close_matches(written, sorted(known), n=1)
    return f"; did you mean {alike[0]}?" if alike else ""


def nearest_pattern(written: str, ids: Iterable[str]) -> str:
    """Return the advice that follows on a pattern which fits no id; empty when none is near."""
    known = list(ids)
    for pattern in (f"{written}*", f"*{written}*"):
        if written and matches(pattern, known):
            return f"; did you mean '{pattern}'?"
    alike = difflib.get_close_matches(written, known, n=1, cutoff=_ALIKE)
    return f"; did you mean '{alike[0]}'?" if alike else ""

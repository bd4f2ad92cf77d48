"""Measures and shortens texts by the columns that they take on a terminal."""

from __future__ import annotations

import unicodedata

_WIDE = {"F", "W"}
"""Classes of Unicode's East Asian Width (UAX 11) that take two columns."""
_ON_THE_LAST = {"Mn", "Me", "Cf"}
"""Categories of what is drawn over the character before, or not at all."""


def columns(text: str) -> int:
    """Return how many columns a line takes."""
    return len(text) if text.isascii() else sum(map(_width, text))


def fitted(text: str, room: int) -> str:
    """Return a line that takes at most `room` columns; what was longer ends with `…`."""
    if columns(text) <= room:
        return text
    kept, left = "", room - 1
    for character in text:
        left -= _width(character)
        if left < 0:
            break
        kept += character
    return f"{kept}…" if room > 0 else ""


def _width(character: str) -> int:
    if unicodedata.category(character) in _ON_THE_LAST:
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1

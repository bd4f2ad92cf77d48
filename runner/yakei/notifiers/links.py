"""Finds the web addresses in a text that people read."""

from __future__ import annotations

import re
from collections.abc import Iterator

_LINK = re.compile(r"https?://[^\s<>|\"'`]+")
_BEHIND = ".,;:!?)]}"
"""What ends a sentence and not an address."""


def links_in(text: str) -> Iterator[tuple[int, str]]:
    """Yield where each address begins, and the address."""
    for found in _LINK.finditer(text):
        yield found.start(), found[0].rstrip(_BEHIND)

"""Matches names against patterns as people write them: `*` and `?`; `[` and `]` are literal."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase


def matches(pattern: str, names: Iterable[str]) -> bool:
    """Return whether a pattern fits one of these names whole, upper and lower case told apart."""
    # An id such as test_depth[orders] is no set of letters to anybody but fnmatch.
    literal = pattern.replace("[", "[[]")
    return any(fnmatchcase(name, literal) for name in names)

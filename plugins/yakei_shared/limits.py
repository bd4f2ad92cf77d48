"""A limit of a configured thing: one number, or a pair of warning and critical."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Limit(NamedTuple, Generic[T]):
    """What a measure is held against.

    In the configuration `max_depth = 1000` is a critical limit alone, and
    `max_depth = { warning = 800, critical = 1000 }` is both.
    """

    critical: T
    warning: T | None = None

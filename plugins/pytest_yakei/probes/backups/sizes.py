"""Compares the size of the newest backup with what is usual for its member."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from pytest_yakei.probes.backups.series import (
    COMPARED,
    ENOUGH_FOR_GROWTH,
    Size,
    format_size,
    percent,
    usual_size,
)

SizeRule = Callable[[str, Sequence[Size], float, datetime | None], str]


def too_small(name: str, sizes: Sequence[Size], min_percent: float, since: datetime | None) -> str:
    """Return that the newest is under its share of the usual size, or "".

    Args:
        name: of whom the sizes are.
        sizes: the oldest first, the one to judge last.
        min_percent: the smallest share that is accepted.
        since: older sizes are not compared with.
    """
    newest, usual = sizes[-1], usual_size(sizes, since)
    if not usual or newest.size >= usual * min_percent / 100:
        return ""
    limit = f"limit {min_percent:g} %"
    return f"{name}: {percent(newest.size, usual)} of usual ({limit})\n{_details(newest, usual)}"


def too_large(name: str, sizes: Sequence[Size], max_percent: float, since: datetime | None) -> str:
    """Return that the newest is over its share of the usual size, or ""; see `too_small`."""
    newest, usual = sizes[-1], usual_size(sizes, since, at_least=ENOUGH_FOR_GROWTH)
    if not usual or newest.size <= usual * max_percent / 100:
        return ""
    limit = f"limit {max_percent:g} %"
    return f"{name}: {percent(newest.size, usual)} of usual ({limit})\n{_details(newest, usual)}"


def _details(newest: Size, usual: float) -> str:
    """Return both sizes, and how to say that the new one is right."""
    return (
        f"  {newest.name}: {format_size(newest.size)}; median of the last {COMPARED}: "
        f"{format_size(usual)}\n"
        f"  If this is right, set accepted_since to the time of this backup; "
        f"otherwise it is the usual size after {COMPARED // 2 + 1} backups."
    )

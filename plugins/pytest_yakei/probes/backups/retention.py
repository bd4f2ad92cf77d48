"""Tells from the oldest backups whether the cleaner runs, and whether it keeps what it should."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from pytest_yakei.probes.backups.losses import EARLY
from pytest_yakei.probes.backups.moments import coarse
from pytest_yakei.probes.backups.rules import FileRules
from pytest_yakei.probes.backups.series import Backup

SLACK = timedelta(days=1)
"""On top of retention and one period of the cleaner: it may have been off for a day."""
MISSED = 1
"""How many backups fewer than expected are accepted: a host may be down for one."""


def too_old(series: Sequence[Backup], rules: FileRules, now: datetime) -> str:
    """Return what is wrong with the oldest backup of a member, or ""."""
    if rules.retention is None or not series:
        return ""
    oldest, limit = series[0], rules.retention + rules.cleaning + SLACK
    age = now - oldest.modified
    if age <= limit:
        return ""
    return (
        f"{oldest.member}: oldest is {coarse(age)} old (limit {coarse(limit)}): retention not "
        f"running\n  {oldest.path}\n  "
        "systemd-tmpfiles goes by the youngest of all times: a chown or a copy starts anew"
    )


def too_few(
    memory: MutableMapping[str, Any], series: Sequence[Backup], rules: FileRules, now: datetime
) -> str:
    """Return whether a member has fewer backups than its retention promises, or "".

    A new member, or a longer retention, has first to fill up: `memory` keeps since when.
    """
    if rules.retention is None or not series:
        return ""
    since = _filling_since(memory, series, rules.retention, now)
    if now - since < rules.retention:
        return ""
    problems = [*_short_history(series, rules, now), *_missing(series, rules)]
    return f"{series[0].member}: {'; '.join(problems)}: deleted early?" if problems else ""


def _short_history(series: Sequence[Backup], rules: FileRules, now: datetime) -> Iterator[str]:
    """Yield that the oldest is too young: the one before it would still have to be there."""
    retention = rules.retention or timedelta(0)
    oldest = timedelta(seconds=series[0].age(now))
    gaps = [later.modified - earlier.modified for earlier, later in pairwise(series)]
    if oldest < retention - max([rules.max_age, *gaps]) - EARLY:
        yield f"oldest is only {coarse(oldest)} old (retention {coarse(retention)})"


def _missing(series: Sequence[Backup], rules: FileRules) -> Iterator[str]:
    """Yield that there are fewer than one for each interval."""
    if rules.interval and rules.retention:
        expected = rules.retention // rules.interval
        if len(series) < expected - MISSED:
            yield f"{len(series)} backups (expected {expected} in {coarse(rules.retention)})"


def _filling_since(
    memory: MutableMapping[str, Any], series: Sequence[Backup], retention: timedelta, now: datetime
) -> datetime:
    """Return since when this member's folder has been filled under this retention."""
    kept = memory.setdefault("since", {})
    oldest = now.timestamp() - series[0].age(now)
    known = kept.get(series[0].member)
    if known and retention.total_seconds() > known["retention"]:
        known = {"begin": now.timestamp()}
    begin = known["begin"] if known else oldest
    kept[series[0].member] = {"begin": begin, "retention": retention.total_seconds()}
    return datetime.fromtimestamp(begin, UTC)

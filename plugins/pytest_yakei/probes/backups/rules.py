"""The settings that every folder of files is judged by, and how they are checked."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pytest_yakei.probes.backups.moments import check_zone, parse_moment


@dataclass(frozen=True, kw_only=True)
class FileRules:
    """What `dumps` and `directory` have in common; each kind's `Settings` explains its keys."""

    path: Path
    members: tuple[str, ...]
    max_age: timedelta
    retention: timedelta | None
    cleaning: timedelta
    interval: timedelta | None
    writing: timedelta
    stuck_after: timedelta
    min_percent: float
    max_percent: float
    accepted_since: str
    lock: Path | None
    zone: str
    verify_timeout: timedelta

    @property
    def accepted(self) -> datetime | None:
        """Return since when sizes count and losses are told; None for always."""
        return parse_moment(self.accepted_since, self.zone)


def rules_of(settings: Any) -> FileRules:
    """Return the common part of a kind's settings.

    Raises:
        ValueError: a value makes no sense; the text begins with its key.
    """
    rules = FileRules(**{field.name: getattr(settings, field.name) for field in fields(FileRules)})
    check_members(rules.members)
    check_zone(rules.zone)
    check_moment(rules.accepted_since)
    check_percents(rules.min_percent, rules.max_percent)
    check_positive(max_age=rules.max_age, retention=rules.retention, interval=rules.interval)
    return rules


def check_members(members: tuple[str, ...]) -> None:
    """Accept a list of members.

    Raises:
        ValueError: it is empty or names one twice.
    """
    if not members:
        raise ValueError("members: 0 members configured; name everything that must have a backup")
    if twice := sorted({member for member in members if members.count(member) > 1}):
        raise ValueError(f"members: {', '.join(twice)} is named twice")


def check_percents(smallest: float, largest: float) -> None:
    """Accept the two shares of the usual size.

    Raises:
        ValueError: they are not on their side of 100.
    """
    usual = 100
    if not 0 <= smallest < usual:
        raise ValueError(f"min_percent: expected 0 to 99 per cent of the usual, got {smallest:g}")
    if largest <= usual:
        raise ValueError(f"max_percent: expected more than 100 per cent, got {largest:g}")


def check_moment(text: str) -> None:
    """Accept the text of `accepted_since`.

    Raises:
        ValueError: it is no time.
    """
    try:
        parse_moment(text, "UTC")
    except ValueError as error:
        raise ValueError(f"accepted_since: {error}") from None


def check_positive(**durations: timedelta | None) -> None:
    """Accept durations that are longer than nothing.

    Raises:
        ValueError: one is not.
    """
    for key, duration in durations.items():
        if duration is not None and duration <= timedelta(0):
            raise ValueError(f'{key}: expected a duration above zero, such as "13h"')

"""Refuses a marker that says nothing we know, before a check is judged by it."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, time, timedelta

import pytest

from pytest_yakei.records import seconds
from yakei_shared.thresholds import parse_threshold


def mistake_of(item: pytest.Item) -> str:
    """Return what is wrong with a check's markers, in one line; empty when all is well."""
    for mark in item.iter_markers():
        if mark.name not in _RULES:
            continue
        try:
            _RULES[mark.name](*mark.args, **mark.kwargs)
        except (TypeError, ValueError) as error:
            return f"marker {mark.name}: {error}"
    return ""


def _owner(name: str) -> None:
    _expect_text(name)


def _runbook(url: str) -> None:
    _expect_text(url)


def _severity(level: str) -> None:
    if level not in {"critical", "warning"}:
        raise ValueError(f'expected "critical" or "warning", got {level!r}')


def _every(period: str | timedelta, at: str | None = None) -> None:
    is_duration = isinstance(period, str | timedelta)
    if not is_duration or (seconds(period) or 0.0) <= 0:
        raise ValueError(f'expected a duration such as "1d", got {period!r}')
    if at is not None:
        _expect_text(at)
        if time.fromisoformat(at).tzinfo is not None:
            raise ValueError(f'expected an hour of this host such as "04:00", got {at!r}')


def _known_issue(reference: str, until: str | date | None = None) -> None:
    _expect_text(str(reference))
    if until is not None:
        date.fromisoformat(str(until))


def _low_priority(wanted: object = True) -> None:  # noqa: FBT002 - as the marker is written
    if not isinstance(wanted, bool):
        raise ValueError(f"expected True or False, got {wanted!r}")


def _failure_threshold(runs: object) -> None:
    parse_threshold(runs)


def _depends_on(*names: object) -> None:
    if not names:
        raise ValueError('expected the name of a check, or of a resource such as "database main"')
    for name in names:
        _expect_text(name)


def _only_with(*keys: object) -> None:
    if not keys:
        raise ValueError('expected a key of the entry, such as "max_age"')
    for key in keys:
        _expect_text(key)


def _resource(name: str, limit: object = None) -> None:
    _expect_text(name)
    if limit is not None and (not isinstance(limit, int) or limit < 1):
        raise ValueError(f"expected a limit of at least 1, got {limit!r}")


def _timeout(timeout: object = None, *_: object, **__: object) -> None:
    """Refuse what pytest-timeout would fail at, or take for no limit: each check has to end."""
    try:
        limit = 1.0 if timeout is None else float(timeout)  # type: ignore[arg-type]  # else refused
    except (TypeError, ValueError):
        limit = 0.0
    if not 0 < limit < math.inf:
        raise ValueError(f"expected a number of seconds above 0, got {timeout!r}")


def _expect_text(value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"expected text, got {value!r}")


_RULES: dict[str, Callable[..., None]] = {
    "owner": _owner,
    "runbook": _runbook,
    "severity": _severity,
    "every": _every,
    "known_issue": _known_issue,
    "failure_threshold": _failure_threshold,
    "depends_on": _depends_on,
    "resource": _resource,
    "timeout": _timeout,
    "only_with": _only_with,
    "low_priority": _low_priority,
}

"""Reads one test's entry of the report, whatever wrote it and however damaged it is."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from yakei.results import CheckResult, KnownIssue, Measure, Outcome, Severity, Unavailable
from yakei_shared.labels import label_of
from yakei_shared.thresholds import LONGEST_WINDOW

Choice = TypeVar("Choice", bound=StrEnum)

_PHASES = ("setup", "call", "teardown")
_CAPTURED = ("longrepr", "stdout", "stderr")
_TIMED_OUT = re.compile(r"(?:Failed: )?Timeout \(?>\s*([\d.]+)")
"""How the message of pytest-timeout begins."""
_SKIPPED = re.compile(r"Skipped: (.*?)['\"]?\)?$", re.DOTALL)
_BY_PYTEST = {
    "passed": Outcome.PASSED,
    "failed": Outcome.FAILED,
    "error": Outcome.ERROR,
    "skipped": Outcome.SKIPPED,
    "xfailed": Outcome.PASSED,
    "xpassed": Outcome.PASSED,
}
"""What pytest's own words mean; an expected failure is what its author expects."""


def read_entry(entry: Mapping[str, Any]) -> CheckResult | None:
    """Return the result of an entry, or None when it does not say which check it is of.

    The plugin's part (`metadata.yakei`) counts where it is there and whole; a value of a wrong
    type is left out, and a test that the plugin did not see is understood from pytest's words.
    """
    identity = text_of(entry.get("nodeid"))
    if not identity:
        return None
    said = mapping_of(mapping_of(entry.get("metadata")).get("yakei"))
    outcome = _outcome(entry, said)
    fact, details = _words(entry, said, outcome)
    threshold = _threshold(said.get("failure_threshold"))
    return CheckResult(
        id=identity,
        outcome=outcome,
        label=text_of(said.get("label")) or label_of(identity),
        claim=text_of(said.get("claim")),
        fact=fact,
        details=details,
        severity=_choice(Severity, said.get("severity")) or Severity.CRITICAL,
        owner=text_of(said.get("owner")) or None,
        runbook=text_of(said.get("runbook")) or None,
        failure_threshold=threshold,
        failure_window=_window(said.get("failure_window"), threshold),
        depends_on=_names(said.get("depends_on")),
        markers=_names(said.get("markers")),
        known_issue=_known_issue(said.get("known_issue")),
        measures=tuple(map(_measure, _mappings(said.get("measures")))),
        notes=tuple(map(text_of, _list(said.get("notes")))),
        unavailable=_unavailable(said.get("unavailable")),
        memory=said["memory"] if isinstance(said.get("memory"), dict) else None,
        started=_time(said.get("started")),
        duration=sum(_number(_phase(entry, name).get("duration")) or 0.0 for name in _PHASES),
        waited=max(0.0, _number(said.get("waited")) or 0.0),
        worker=text_of(said.get("worker")),
        location=text_of(said.get("file")) or _location(entry, identity),
        output=_output(entry),
    )


def text_of(value: object) -> str:
    """Return the value when it is text, as valid Unicode, else nothing."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""


def mapping_of(value: object) -> Mapping[str, Any]:
    """Return the value when it is a JSON object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def _outcome(entry: Mapping[str, Any], said: Mapping[str, Any]) -> Outcome:
    word = text_of(entry.get("outcome"))
    own = _choice(Outcome, said.get("outcome"))
    # The plugin sees an expected failure as a skip; its author has said that all is as expected.
    # Nobody expects a resource to be down: what could not be asked has not failed as expected.
    if word in {"xfailed", "xpassed"} and own is not Outcome.NOT_JUDGED:
        return Outcome.PASSED
    if own is Outcome.PASSED and _BY_PYTEST.get(word) in {Outcome.FAILED, Outcome.ERROR}:
        return _BY_PYTEST[word]  # a hook of the suite has found something in a check that passed
    if own:
        return own
    timed_out = any(_TIMED_OUT.match(_message(entry, name)) for name in _PHASES)
    return Outcome.TIMEOUT if timed_out else _BY_PYTEST.get(word, Outcome.ERROR)


def _words(entry: Mapping[str, Any], said: Mapping[str, Any], outcome: Outcome) -> tuple[str, str]:
    """Return the fact in one line, and the lines behind it."""
    if outcome is Outcome.PASSED:
        return "", ""
    fact = text_of(said.get("fact"))
    if fact:
        return fact, text_of(said.get("details"))
    found = (_message(entry, name) or _skip_reason(entry, name) for name in _PHASES)
    text = next(filter(None, found), f"pytest says {entry.get('outcome')!r} and no more")
    if match := _TIMED_OUT.match(text):
        return f"timed out after {match[1]} s", ""
    first, _, rest = text.removeprefix("AssertionError: ").partition("\n")
    return first, rest


def _message(entry: Mapping[str, Any], phase: str) -> str:
    return text_of(mapping_of(_phase(entry, phase).get("crash")).get("message"))


def _skip_reason(entry: Mapping[str, Any], phase: str) -> str:
    """Return the reason out of `('file', 7, 'Skipped: why')`, else the first line of a text."""
    text = text_of(_phase(entry, phase).get("longrepr"))
    match = _SKIPPED.search(text)
    return match[1] if match else text.partition("\n")[0]


def _phase(entry: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return mapping_of(entry.get(name))


def _output(entry: Mapping[str, Any]) -> str:
    parts = []
    for name in _PHASES:
        for kind in _CAPTURED:
            text = text_of(_phase(entry, name).get(kind)).strip("\n")
            if text:
                heading = name if kind == "longrepr" else f"captured {kind}, {name}"
                parts.append(f"--- {heading} ---\n{text}")
    return "\n".join(parts)


def _location(entry: Mapping[str, Any], identity: str) -> str:
    line = entry.get("lineno")
    path = identity.partition("::")[0]
    return f"{path}:{line + 1}" if isinstance(line, int) else path


def _measure(said: Mapping[str, Any]) -> Measure:
    return Measure(
        name=text_of(said.get("name")) or "value",
        value=_number(said.get("value")),
        unit=text_of(said.get("unit")),
        limit=text_of(said.get("limit")),
        status=text_of(said.get("status")) or "ok",
    )


def _known_issue(value: object) -> KnownIssue | None:
    said = mapping_of(value)
    reference, until = text_of(said.get("reference")), text_of(said.get("until")) or None
    return KnownIssue(reference=reference or "?", until=until) if said else None


def _unavailable(value: object) -> Unavailable | None:
    said = mapping_of(value)
    resource = text_of(said.get("resource"))
    return Unavailable(resource=resource, reason=text_of(said.get("reason"))) if resource else None


def _choice(kind: type[Choice], value: object) -> Choice | None:
    return kind(value) if isinstance(value, str) and value in list(kind) else None


def _threshold(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if value >= 1 else None


def _window(value: object, threshold: int | None) -> int | None:
    """Return of how many runs so many have to fail; None where that makes no sense."""
    window = _threshold(value)
    if window is None or threshold is None:
        return None
    return window if threshold <= window <= LONGEST_WINDOW else None


def _names(value: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, map(text_of, _list(value)))))


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # an integer beyond every float
        return None


def _time(value: object) -> datetime | None:
    seconds = _number(value)
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):  # beyond the calendar
        return None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [each for each in _list(value) if isinstance(each, Mapping)]

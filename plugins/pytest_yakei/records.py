"""What one check leaves in the report: its outcome, the fact, its measures and its memory."""

from __future__ import annotations

import copy
import re
import textwrap
import time
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pytest_yakei.disclosure import abridged
from pytest_yakei.errors import CannotTell, NotConfigured, ResourceUnavailable
from pytest_yakei.measures import Measurement
from yakei_shared.durations import parse_duration
from yakei_shared.labels import label_of
from yakei_shared.thresholds import parse_threshold

depends_on_key = pytest.StashKey[tuple[str, ...]]()
"""What a check depends on, each name resolved to ids of checks or a resource."""
record_key = pytest.StashKey["CheckRecord"]()
worker_key = pytest.StashKey[str]()
"""Of the session's configuration: which worker of the slots this process is."""
ready_key = pytest.StashKey[float]()
"""Of the same: when the first check could have begun, as time.time() counts."""

_TIMEOUT = re.compile(r"Timeout \(?>\s*([\d.]+)s?\)?")
"""How pytest-timeout begins the text of its failure."""

_LONGEST_FACT = 2000
"""Characters of a first line: all that remembers or shows it needs less."""
_OF_THEIR_OWN = {
    *("depends_on", "every", "failure_threshold", "known_issue", "owner", "runbook", "severity"),
    *("only_with", "parametrize", "usefixtures"),
}
"""Markers that have a field of their own in the report, or matter to the collection alone."""
_OUR_REPR = re.compile(r"^assert not <\d+ findings>$", re.MULTILINE)


@dataclass
class CheckRecord:
    """Gathered while a check runs; `metadata` is its part of the JSON report."""

    label: str
    outcome: str = "passed"
    fact: str = ""
    details: str = ""
    measures: list[Measurement] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unavailable: dict[str, str] | None = None
    memory: dict[str, Any] | None = None
    started: float = field(default_factory=time.time)
    worker: str = ""
    """The slot's worker that runs it; empty in pytest's own loop."""

    def remember(self, kept: dict[str, Any]) -> dict[str, Any]:
        """Return the check's memory, the same document each time it is asked for."""
        if self.memory is None:
            self.memory = copy.deepcopy(kept)
        return self.memory

    def observe(self, report: pytest.TestReport, error: BaseException | None) -> None:
        """Take in how one phase (setup, call, teardown) ended; the worst one counts.

        A plugin that runs a check again, as pytest-rerunfailures, begins with its setup: then only
        the last time counts.
        """
        if report.when == "setup":
            self.outcome, self.fact, self.details, self.unavailable = "passed", "", "", None
        if report.outcome == "passed" or (self.outcome not in {"passed", "skipped"}):
            return
        # An expected failure is reported as a skip; but nobody expects a resource to be down.
        if report.skipped and not isinstance(error, ResourceUnavailable):
            self.outcome = "skipped"
            self.fact = getattr(report, "wasxfail", "") or _skip_reason(report)
            return
        self.outcome = _outcome(report.when, error)
        text = abridged(_text(error) if error else report.longreprtext)
        if isinstance(error, ResourceUnavailable):
            self.unavailable = {"resource": error.resource, "reason": error.reason}
        if self.outcome == "timeout":
            text = _timed_out(report, text)
        first, _, details = text.partition("\n")
        self.fact = abridged(first, _LONGEST_FACT)
        self.details = textwrap.dedent(details)  # pytest indents what follows the first line

    def metadata(self, item: pytest.Item) -> dict[str, Any]:
        """Return the document that the runner reads."""
        judged = self.outcome in {"passed", "failed"}
        path, line, _ = item.location
        return {
            "outcome": self.outcome,
            "claim": claim_of(item),
            "label": self.label,
            "fact": self.fact,
            "details": self.details.strip("\n"),
            "owner": _argument(item, "owner", "name"),
            "runbook": _argument(item, "runbook", "url"),
            "severity": self._severity(item),
            **_threshold(item),
            "depends_on": _dependencies(item),
            "markers": sorted({mark.name for mark in item.iter_markers()} - _OF_THEIR_OWN),
            "every": _period(item),
            "known_issue": _known_issue(item),
            "measures": [asdict(measure) for measure in self.measures],
            "notes": self.notes,
            "unavailable": self.unavailable,
            "memory": self.memory if judged else None,
            "started": self.started,
            "waited": max(0.0, self.started - item.config.stash.get(ready_key, self.started)),
            "worker": self.worker or item.config.stash.get(worker_key, ""),
            "file": f"{path}:{(line or 0) + 1}",
        }

    def _severity(self, item: pytest.Item) -> str:
        """Return the lowest severity that anything asks for: an entry can soften, not sharpen."""
        broken = {measure.status for measure in self.measures} - {"ok"}
        markers = {mark.args[0] for mark in item.iter_markers("severity") if mark.args}
        warned_only = self.outcome == "failed" and broken == {"warning"}
        return "warning" if warned_only or "warning" in markers else "critical"


def claim_of(item: pytest.Item) -> str:
    """Return the first line of a check's docstring, or its name as words."""
    docstring = getattr(getattr(item, "function", None), "__doc__", None) or ""
    lines = docstring.strip().splitlines()
    return lines[0] if lines else label_of(item.name)


def names_in(item: pytest.Item) -> tuple[str, ...]:
    """Return what a check depends on, as its `depends_on` markers spell it."""
    names: dict[str, None] = {}
    for mark in item.iter_markers("depends_on"):
        names |= dict.fromkeys(name for name in mark.args if isinstance(name, str))
    return tuple(names)


def _dependencies(item: pytest.Item) -> list[str]:
    """Return what a check depends on; as it is written where nobody could resolve it."""
    resolved: tuple[str, ...] = item.stash.get(depends_on_key, ())
    return list(resolved or names_in(item))


def seconds(period: str | timedelta | None) -> float | None:
    """Return the period of an `every` marker in seconds."""
    if period is None:
        return None
    duration = parse_duration(period) if isinstance(period, str) else period
    return duration.total_seconds()


def _argument(item: pytest.Item, marker: str, name: str) -> Any:
    mark = item.get_closest_marker(marker)
    if mark is None:
        return None
    return mark.args[0] if mark.args else mark.kwargs.get(name)


def _period(item: pytest.Item) -> float | None:
    """Return how often a check is to run, in seconds; nothing where the marker is wrong."""
    try:
        return seconds(_argument(item, "every", "period"))
    except (AttributeError, ValueError):  # the runner has told what is wrong with it
        return None


def _threshold(item: pytest.Item) -> dict[str, int | None]:
    """Return how many runs have to fail, and of how many; nothing where the marker is wrong."""
    value = _argument(item, "failure_threshold", "runs")
    try:
        threshold = parse_threshold(value)
    except ValueError:  # there is no marker, or the runner has told what is wrong with it
        return {"failure_threshold": None, "failure_window": None}
    return {"failure_threshold": threshold.failures, "failure_window": threshold.window}


def _known_issue(item: pytest.Item) -> dict[str, Any] | None:
    mark = item.get_closest_marker("known_issue")
    if mark is None:
        return None
    until = mark.kwargs.get("until")
    reference = _argument(item, "known_issue", "reference")
    return {"reference": str(reference or ""), "until": str(until) if until else None}


def _outcome(when: str | None, error: BaseException | None) -> str:
    """Tell a false claim from not having found out; setup and teardown judge nothing."""
    if isinstance(error, ResourceUnavailable):
        return "not judged"
    if error is not None and _TIMEOUT.match(_words(error)):
        return "timeout"
    is_verdict = isinstance(error, AssertionError | pytest.fail.Exception)
    return "failed" if when == "call" and (is_verdict or error is None) else "error"


def _text(error: BaseException) -> str:
    """Return what an exception says, the fact first."""
    name = type(error).__name__
    text = _OUR_REPR.sub("", _words(error)).strip()
    if isinstance(error, AssertionError | pytest.fail.Exception | NotConfigured):
        return text or name
    if isinstance(error, pytest.FixtureLookupError):
        return f"cannot tell: there is no fixture {error.argname!r}"
    if isinstance(error, CannotTell):
        return f"cannot tell: {text or name}"
    return f"cannot tell: {name}: {text}" if text else f"cannot tell: {name}"


def _words(error: BaseException) -> str:
    """Return the text of an exception; of one that cannot even say it, nothing."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - the code of whoever wrote the exception may raise anything
        return ""


def _timed_out(report: pytest.TestReport, text: str) -> str:
    match = _TIMEOUT.match(text)
    limit = f" after {float(match[1]):g} s" if match else ""
    phase = "" if report.when == "call" else f" in {report.when}"
    return f"timed out{limit}{phase}{_place(report)}"


def _place(report: pytest.TestReport) -> str:
    """Return which line of its own file a check was at, and where else that had led it."""
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is None:
        return ""
    traceback = getattr(report.longrepr, "reprtraceback", None)
    found = (getattr(entry, "reprfileloc", None) for entry in getattr(traceback, "reprentries", ()))
    file = Path(report.location[0]).name
    own = [each.lineno for each in found if each is not None and Path(each.path).name == file]
    if Path(crash.path).name == file:
        return f" at line {crash.lineno}"
    elsewhere = f"{Path(crash.path).name}:{crash.lineno}"
    return f" at line {own[-1]} ({elsewhere})" if own else f" at {elsewhere}"


def _skip_reason(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return report.longreprtext

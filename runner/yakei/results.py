"""The words of a run: what each check did, and what was wrong with the run itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple


class Outcome(StrEnum):
    """What a check did in one run."""

    PASSED = "passed"
    FAILED = "failed"
    """The claim is false."""
    ERROR = "error"
    """Could not find out."""
    SKIPPED = "skipped"
    TIMEOUT = "timeout"
    CRASHED = "crashed"
    """The process died while the check ran."""
    NOT_JUDGED = "not judged"
    """Never got its turn, or what it needs is down."""


class Severity(StrEnum):
    """Whether to wake somebody (`critical`) or to wait for the morning (`warning`)."""

    WARNING = "warning"
    CRITICAL = "critical"


def worst_of(*found: Severity | None) -> Severity:
    """Return the highest severity of those that there are; with none of them a warning."""
    return Severity.CRITICAL if Severity.CRITICAL in found else Severity.WARNING


class ProblemKind(StrEnum):
    """What can be wrong with a run itself."""

    CONFIGURATION = "configuration"
    """Bad usage or configuration: nothing was checked."""
    COLLECTION = "collection"
    """A file does not import, a check is marked wrongly, a conftest is broken."""
    HIDDEN = "hidden"
    """A check that pytest does not see, or hears of as another; the others are all there."""
    NOTHING_COLLECTED = "nothing collected"
    EVERYTHING_SKIPPED = "everything skipped"
    CRASH = "crash"
    """pytest ended without a report."""
    DEADLINE = "deadline"
    VANISHED = "vanished"
    """A check of the last complete run is no longer in the suite."""
    STATE = "state"
    """The state could not be read or written, or had to be rebuilt."""
    LOG = "log"
    """The log file could not be written."""
    SURVIVORS = "survivors"
    """Checks left processes behind, which were ended."""
    CANARY = "canary"
    """A check that fails on purpose was not seen to fail: no result can be trusted."""
    SLOW = "slow"
    """The suite takes over half of its interval."""
    ROUTES = "routes"
    """The owner of a check leads nowhere: no route names it, though routes go by owner."""


class Problem(NamedTuple):
    """Something wrong with the run itself, as opposed to a check."""

    kind: ProblemKind
    text: str
    """One or more lines; the first says what happened and where."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A named number that a check took."""

    name: str
    value: float | None
    unit: str = ""
    limit: str = ""
    """As a person reads it: `below 1000`."""
    status: str = "ok"
    """ok, warning or critical."""


@dataclass(frozen=True, kw_only=True)
class KnownIssue:
    """A failure that is known: quiet while it fails, told when it passes or its date has come."""

    reference: str
    until: str | None = None
    """The last day, as YYYY-MM-DD."""


@dataclass(frozen=True, kw_only=True)
class Unavailable:
    """The resource that kept a check from being judged."""

    resource: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """What one check did in this run, and what the alert has to say about it."""

    id: str
    """The pytest node id."""
    outcome: Outcome
    label: str = ""
    """The thing that is watched, for people: `queue analyze_page`."""
    claim: str = ""
    fact: str = ""
    """One line with the number and the limit; empty when passed."""
    details: str = ""
    severity: Severity = Severity.CRITICAL
    owner: str | None = None
    runbook: str | None = None
    failure_threshold: int | None = None
    failure_window: int | None = None
    """With it, so many of that many runs have to fail; without it, so many in a row."""
    depends_on: tuple[str, ...] = ()
    """The ids of checks and the names of resources without which it cannot pass."""
    markers: tuple[str, ...] = ()
    """The names of its markers, for routing."""
    known_issue: KnownIssue | None = None
    measures: tuple[Measure, ...] = ()
    notes: tuple[str, ...] = ()
    unavailable: Unavailable | None = None
    memory: dict[str, Any] | None = field(default=None, hash=False)
    started: datetime | None = None
    duration: float = 0.0
    """Seconds, with setup and teardown."""
    waited: float = 0.0
    """Seconds from the first check's start, or the last restart, until it had its turn."""
    cut_off: bool = False
    """Whether the deadline of the run ended it, and not its own timeout."""
    worker: str = ""
    """The slot's worker that ran it; empty without slots."""
    location: str = ""
    """file:line of the check."""
    output: str = ""
    """The traceback and what was captured, for the log and the end of a mail."""


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """All that one run found out."""

    results: tuple[CheckResult, ...] = ()
    collected: tuple[str, ...] = ()
    """The ids of all checks of the suite that this run knew of, judged or not."""
    not_due: tuple[str, ...] = ()
    """The ids of the checks whose time has not come (`every`); they keep their last outcome."""
    problems: tuple[Problem, ...] = ()
    partial: bool = False
    """Only a part was asked for (`-k`, `-m`, a path): nobody is missed, nothing is closed."""

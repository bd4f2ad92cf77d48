"""What the runner remembers from run to run: incidents, earlier values, the suite's population."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from yakei.results import CheckResult, Measure, Outcome, Severity


class Reason(StrEnum):
    """Why people are told something."""

    NEW = "new"
    REMINDER = "reminder"
    WORSE = "worse"
    """It was a warning and is critical now, or its number has doubled since it was told."""
    CHANGED = "changed"
    """It fails in another way than people know of."""
    ESCALATED = "escalated"
    """It is still open and nobody has acknowledged it: more people are told."""
    FLAPPING = "flapping"
    """It fails and passes in turn; nothing more is told until it is stable."""
    RECOVERED = "recovered"
    RUN_BROKEN = "run broken"
    MISSED_RUNS = "missed runs"
    VANISHED = "vanished"
    """Checks of the last complete run are no longer in the suite."""
    SKIPPED = "skipped"
    """A check was not judged, and nobody has said that this is as intended."""
    KNOWN_ISSUE_PASSES = "known issue passes"
    KNOWN_ISSUE_EXPIRED = "known issue expired"


@dataclass(frozen=True, kw_only=True)
class Peak:
    """The worst value of an incident, and when it was."""

    value: float
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Silence:
    """Matching checks stay quiet until a date; they still run and are recorded."""

    id: str
    pattern: str
    """Of incidents' keys, with `*` and `?`; `[` and `]` are literal."""
    until: datetime
    reason: str
    by: str
    at: datetime
    """When it was made."""


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """Somebody knows of an incident: no reminders until it recovers."""

    incident: str
    """The incident's id."""
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Incident:
    """Something that is not well, from the first failing run to recovery."""

    key: str
    """A check's id, `resource:database main`, or `run:crash` for the run itself."""
    id: str = ""
    """A short name for people and threads: stays the same from opening to closing."""
    label: str
    """The thing, for people; `monitor` for the run itself."""
    fact: str
    """What is wrong, in one line, as last seen."""
    severity: Severity
    since: datetime
    """The first failing run."""
    last_failure: datetime
    runs: int = 1
    """Failing runs so far; skipped ticks for a busy lock."""
    outcome: Outcome | None = None
    """The check's; None when it is about a resource or the run."""
    checks: tuple[str, ...] = ()
    """The ids of the checks that a resource keeps from being judged."""
    muted: bool = False
    """It is a known issue, whose time has not come."""
    quiet: str = ""
    """Why nobody is told of it now: `silenced until …: moving srv01`; empty when people are."""
    cause: str = ""
    """The key of the incident that explains this one."""
    owners: tuple[str, ...] = ()
    """Who is told: the check's owner, or those of all checks that a resource blocks."""
    markers: tuple[str, ...] = ()
    acknowledged: Acknowledgement | None = None
    told_to: tuple[str, ...] = ()
    """The notifiers that were told that it is not well."""
    told_value: float | None = None
    """The worst value of the measure at fault that people were told."""
    first_told: datetime | None = None
    told_at: datetime | None = None
    """When people were told last, but for what has changed and for escalation."""
    told_severity: Severity | None = None
    """The highest that people were told."""
    told_facts: tuple[str, ...] = ()
    """What people were told since the last reminder, without the numbers in it."""
    reminders: int = 0
    measure: str = ""
    """The name of the measure at fault."""
    value: float | None = None
    """Its last value."""
    worst: Peak | None = None
    lasted: bool = False
    """Whether it has failed as often as is asked for before anybody is told."""
    passes: int = 0
    """Passing runs since it failed last: several may be asked for before it is over."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a check measured in one run."""

    at: datetime
    measures: tuple[Measure, ...] = ()


@dataclass(frozen=True, kw_only=True)
class History:
    """What is known of one check from earlier runs."""

    last: Reading | None = None
    """The last run that measured something."""
    good: Reading | None = None
    """The last run in which it passed."""
    profile: CheckResult | None = None
    """Label, owner, severity and so on as it last passed, for a result that cannot tell them."""
    recent: str = ""
    """How the last runs that judged it ended, oldest first: `.` well, `w` warning, `c` critical."""
    checks: tuple[str, ...] = ()
    """Of a resource: the checks that it has kept from being judged."""


@dataclass(frozen=True, kw_only=True)
class CompleteRun:
    """The last run that judged the whole suite."""

    at: datetime
    summary: str
    """`25 checks, all passed`."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """What is to be told when the quiet hours are over."""

    reason: Reason
    incident: Incident


@dataclass(frozen=True, kw_only=True)
class Flapping:
    """Something fails and passes in turn: one message, then quiet until it is stable."""

    key: str
    since: datetime
    told_severity: Severity | None = None
    """The highest that people were told of it; None: they were not."""


@dataclass(frozen=True, kw_only=True)
class State:
    """All that a decision depends on, besides the report and the time."""

    incidents: Mapping[str, Incident] = field(default_factory=dict)
    """The open ones, by key."""
    population: tuple[str, ...] = ()
    """The ids of the checks of the last complete run, and of those that people miss."""
    last_run: datetime | None = None
    """The last run of the suite that was decided, complete or told as broken."""
    last_complete: CompleteRun | None = None
    told: frozenset[str] = frozenset()
    """What is told only once, as `skip ID` and `passes ID REFERENCE`."""
    held: tuple[Held, ...] = ()
    histories: Mapping[str, History] = field(default_factory=dict)
    """By check id, or by the key of a resource."""
    flapping: Mapping[str, Flapping] = field(default_factory=dict)
    """What fails and passes in turn, by key."""
    owed: Mapping[str, Incident] = field(default_factory=dict)
    """By key, the incidents that are over, and people who were told of them do not know it yet."""
    last_failed: Mapping[str, datetime] = field(default_factory=dict)
    """The last failing run of each incident that is over, by key."""
    silences: tuple[Silence, ...] = ()
    """Those that people have made and that have not ended."""
    acknowledgements: tuple[Acknowledgement, ...] = ()
    """Of incidents that are open."""


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One thing that people are to be told."""

    reason: Reason
    incident: Incident
    result: CheckResult | None = None
    """The check's result in this run, when it is about one check."""
    details: str = ""
    """More lines, when it is about the run."""
    history: History = History()
    """As it was before this run."""
    last_failed: datetime | None = None
    """When an earlier incident of the same key failed last."""
    to: tuple[str, ...] = ()
    """The names of the notifiers that are told."""
    explains: tuple[str, ...] = ()
    """The ids of checks that fail because of it, and of which nobody is told."""
    told_value: float | None = None
    """What people were told last, when it is worse because its number has doubled since."""
    window: int | None = None
    """The last runs among which those that failed were counted; None: they were in a row."""

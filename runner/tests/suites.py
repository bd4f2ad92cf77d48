"""Builds the results and runs that the tests of the runner's core decide about."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import settings

from yakei.incidents import Decision, decide
from yakei.incidents.policy import Policy
from yakei.incidents.remembered import Acknowledgement, Silence, State
from yakei.incidents.windows import parse_window
from yakei.results import (
    CheckResult,
    KnownIssue,
    Measure,
    Outcome,
    Problem,
    ProblemKind,
    RunReport,
    Severity,
    Unavailable,
)

TOKYO = timezone(timedelta(hours=9))
NIGHT = datetime(2026, 1, 17, 18, 0, tzinfo=UTC)
"""03:00 in Tokyo."""
POLICY = Policy(zone=TOKYO)
PATIENTLY = settings(deadline=None)
"""For properties: a busy machine is no failure."""
QUEUE = "monitors/test_queues.py::test_depth[analyze_page]"
BACKUP = "monitors/test_backups.py::test_every_member_is_fresh[export]"


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def passed(check: str = QUEUE, **more: Any) -> CheckResult:
    return CheckResult(id=check, outcome=Outcome.PASSED, label="queue analyze_page", **more)


def failed(check: str = QUEUE, fact: str = "1396 waiting (limit 1000)", **more: Any) -> CheckResult:
    known = {"label": "queue analyze_page", "claim": "The queue is short.", **more}
    return CheckResult(id=check, outcome=Outcome.FAILED, fact=fact, **known)


def warned(check: str = QUEUE, **more: Any) -> CheckResult:
    return failed(check, fact="850 waiting (warning limit 800)", severity=Severity.WARNING, **more)


def skipped(check: str = QUEUE, **more: Any) -> CheckResult:
    return replace(passed(check), outcome=Outcome.SKIPPED, fact="no key queues", **more)


def blocked(check: str = QUEUE, resource: str = "database main", **more: Any) -> CheckResult:
    down = Unavailable(resource=resource, reason="connection refused at db01:5432")
    return replace(passed(check), outcome=Outcome.NOT_JUDGED, unavailable=down, **more)


def depth(value: float, check: str = QUEUE, **more: Any) -> CheckResult:
    """The result of a check that measured this many rows against a limit of 1000."""
    bad = value >= 1000
    measure = Measure(
        name="waiting",
        value=value,
        unit="rows",
        limit="below 1000",
        status="critical" if bad else "ok",
    )
    fact = f"waiting: {value:g} rows (limit: below 1000)" if bad else ""
    result = failed(check, fact=fact) if bad else passed(check)
    return replace(result, measures=(measure,), **more)


def run(*results: CheckResult, **more: Any) -> RunReport:
    return RunReport(results=results, collected=tuple(each.id for each in results), **more)


def trouble(kind: ProblemKind, text: str = "what happened") -> Problem:
    return Problem(kind=kind, text=text)


def after(
    *reports: RunReport,
    policy: Policy = POLICY,
    start: datetime = NIGHT,
    every: float = 5,
    people: Callable[[int, State], State] = lambda _, state: state,
) -> list[Decision]:
    """Return the decision about each of these runs, five minutes apart.

    `people` makes of the number of a run, and of the state before it, the state that people have
    made of it: with their silences and acknowledgements.
    """
    decisions: list[Decision] = []
    state = State()
    for number, report in enumerate(reports):
        known = people(number, state)
        decisions.append(decide(known, report, policy, start + minutes(every * number)))
        state = decisions[-1].state
    return decisions


def silence(pattern: str = "*", *, until: datetime, reason: str = "moving srv01") -> Silence:
    return Silence(id="s1", pattern=pattern, until=until, reason=reason, by="ops", at=NIGHT)


def silenced(pattern: str = "*", *, minutes_long: float) -> Callable[[int, State], State]:
    """Return what `people` do who silence a pattern from the first run on."""
    known = silence(pattern, until=NIGHT + minutes(minutes_long))
    return lambda _, state: replace(state, silences=(known,))


def acknowledged(key: str, *, before: int) -> Callable[[int, State], State]:
    """Return what `people` do who acknowledge an incident before that run."""

    def people(number: int, state: State) -> State:
        incident = state.incidents.get(key)
        if number != before or incident is None:
            return state
        known = Acknowledgement(incident=incident.id, reason="on it", by="ops", at=NIGHT)
        return replace(state, acknowledgements=(known,))

    return people


def reasons(decisions: Iterable[Decision]) -> list[list[str]]:
    """Return the reasons of what each run told."""
    return [[str(notice.reason) for notice in each.notices] for each in decisions]


BAD, WELL, WARNED = run(failed()), run(passed()), run(warned())
NOTHING: list[str] = []
PATIENT = replace(POLICY, failure_threshold=3)
TELLING = replace(POLICY, recovery=True)
QUIET = replace(POLICY, quiet_hours=(parse_window("23:00-07:00"),))
NOISY = replace(POLICY, reminder_interval=timedelta())
ISSUE = KnownIssue(reference="SHOP-12")


def runs(marks: str) -> list[RunReport]:
    """Return a run for each letter: `F` fails, `W` is a warning, `P` passes."""
    return [{"F": BAD, "W": WARNED, "P": WELL}[mark] for mark in marks]


def told(*more: str) -> list[list[str]]:
    """Return what each run tells, written as reasons separated by commas."""
    return [each.split(", ") if each else [] for each in more]

"""A check fails and is not due in the next runs: what kept it quiet may end before its turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from suites import BACKUP, NIGHT, POLICY, QUEUE, failed, minutes, passed, run

from yakei.incidents import decide
from yakei.incidents.policy import Maintenance, Policy
from yakei.incidents.remembered import Notice, Reason, Silence, State
from yakei.incidents.unheard import unheard
from yakei.incidents.windows import parse_window
from yakei.results import CheckResult, Severity
from yakei.routes import Route, Routing

TUNNEL = "monitors/test_net.py::test_tunnel"
WINDOW = (parse_window("23:00-07:00"),)
SILENCED = State(
    silences=(
        Silence(
            id="1", pattern="*export*", until=NIGHT + minutes(60), reason="r", by="b", at=NIGHT
        ),
    )
)
"""NIGHT is 03:00 in Tokyo, POLICY's zone."""


def heard(
    first: CheckResult, *others: CheckResult, policy: Policy = POLICY, state: State | None = None
) -> list[tuple[timedelta, Notice]]:
    """Return what is told of the backup after NIGHT, if it runs then alone, and others each run."""
    decision = decide(state or State(), run(first, *others), policy, NIGHT)
    notices = []
    for number in range(1, 12 * 20):
        now: datetime = NIGHT + number * minutes(5)
        report = run(passed(QUEUE), passed(TUNNEL), not_due=(BACKUP,))
        decision = decide(decision.state, report, policy, now)
        notices += [(now - NIGHT, each) for each in decision.notices if each.incident.key == BACKUP]
    return notices


@pytest.mark.parametrize(
    ("policy", "state", "severity", "at"),
    [
        pytest.param(replace(POLICY, quiet_hours=WINDOW), None, Severity.WARNING, 240, id="quiet"),
        pytest.param(
            replace(POLICY, maintenance=(Maintenance((parse_window("02:00-05:00"),), "m"),)),
            None,
            Severity.CRITICAL,
            120,
            id="maintenance",
        ),
        pytest.param(POLICY, SILENCED, Severity.CRITICAL, 60, id="silence"),
    ],
)
def test_it_is_told_once_when_what_kept_it_quiet_is_over(
    policy: Policy, state: State | None, severity: Severity, at: float
) -> None:
    told = heard(failed(BACKUP, severity=severity), policy=policy, state=state)

    assert [(when, each.reason) for when, each in told] == [(minutes(at), Reason.NEW)]


def test_it_is_told_when_its_cause_is_over() -> None:
    told = heard(failed(BACKUP, depends_on=(TUNNEL,)), failed(TUNNEL))

    assert [(when, each.reason) for when, each in told] == [(minutes(5), Reason.NEW)]


def test_more_people_are_told_after_a_while() -> None:
    routes = (Route(notify=("mail",), default=True), Route(notify=("pager",), after=minutes(30)))
    policy = replace(POLICY, routing=Routing(routes=routes, notifiers=("mail", "pager")))
    told = heard(failed(BACKUP), policy=policy)

    assert [(when, each.reason, each.to) for when, each in told] == [
        (minutes(30), Reason.ESCALATED, ("pager",))
    ]


def test_what_nobody_was_to_hear_is_told_in_the_next_run() -> None:
    first = decide(State(), run(failed(BACKUP)), POLICY, NIGHT)
    state = unheard(State(), first).state
    next_one = decide(state, run(passed(QUEUE), not_due=(BACKUP,)), POLICY, NIGHT + minutes(5))

    assert [each.reason for each in next_one.notices] == [Reason.NEW]


@pytest.mark.parametrize(
    "prepared",
    [
        pytest.param(lambda each: replace(each, failure_threshold=2), id="too few runs yet"),
        pytest.param(lambda each: each, id="told already, nothing is new"),
    ],
)
def test_otherwise_nothing_is_told_between_its_turns(
    prepared: Callable[[CheckResult], CheckResult],
) -> None:
    assert heard(prepared(failed(BACKUP))) == []

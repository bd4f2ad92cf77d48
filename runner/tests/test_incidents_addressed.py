"""Whom each notice is for: routes, escalation, owners, and who hears of recoveries."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from suites import (
    BACKUP,
    BAD,
    NOISY,
    POLICY,
    QUEUE,
    QUIET,
    WELL,
    acknowledged,
    after,
    blocked,
    failed,
    minutes,
    passed,
    run,
    runs,
    silenced,
    trouble,
)

from yakei.incidents import Decision
from yakei.incidents.policy import Policy
from yakei.results import ProblemKind, RunReport
from yakei.routes import Route, Routing

CHANNELS = ("slack", "email", "pager")


def routed(*routes: Route, policy: Policy = POLICY, **more: Any) -> Policy:
    return replace(policy, routing=Routing(routes=routes, notifiers=CHANNELS), **more)


def to(*notify: str, **conditions: Any) -> Route:
    return Route(notify=notify, **conditions)


def heard(decision: Decision) -> list[str]:
    """Return what is told and to whom, as `new: slack pager`."""
    return [f"{each.reason}: {' '.join(each.to)}" for each in decision.notices]


EVERYBODY, DB, WEB = to("email"), to("slack", owner="db"), to("email", owner="web")
LATER = to("pager", after=minutes(30))
SUITE = to("pager", owner="ops")


@pytest.mark.parametrize(
    ("routes", "report", "expected"),
    [
        pytest.param((), BAD, "new: slack email pager", id="without routes"),
        pytest.param((DB, WEB), run(failed(owner="db")), "new: slack", id="the check's owner"),
        pytest.param(
            (DB, WEB),
            run(blocked(owner="db"), blocked(BACKUP, owner="web")),
            "new: slack email",
            id="the owners of all that a resource blocks",
        ),
        pytest.param(
            (DB, SUITE),
            run(problems=(trouble(ProblemKind.CRASH),)),
            "run broken: pager",
            id="the suite's owner hears of the run itself",
        ),
        pytest.param(
            (to("slack", marker="shop"), EVERYBODY),
            run(failed(markers=("shop", "slow"))),
            "new: slack email",
            id="by marker",
        ),
        pytest.param(
            (to("slack", check="monitors/test_queues.py*"), to("email", default=True)),
            run(blocked()),
            "new: slack",
            id="by the path of a check that a resource blocks",
        ),
    ],
)
def test_a_notice_goes_where_its_route_leads(
    routes: tuple[Route, ...], report: RunReport, expected: str
) -> None:
    (decision,) = after(report, policy=routed(*routes, owner="ops"))

    assert heard(decision) == [expected]


def test_a_gap_in_the_runs_goes_to_the_owner_of_the_suite() -> None:
    decisions = after(WELL, WELL, every=100, policy=routed(DB, SUITE, owner="ops"))

    assert heard(decisions[1]) == ["missed runs: pager"]


def test_what_becomes_critical_also_goes_to_those_who_hear_of_critical_only() -> None:
    policy = routed(EVERYBODY, to("pager", severity="critical"))

    expected = [["new: email"], ["worse: email pager"]]
    assert [heard(each) for each in after(*runs("WF"), policy=policy)] == expected


# Escalation


def test_who_joins_after_a_while_hears_once_and_then_with_the_others() -> None:
    policy = routed(EVERYBODY, LATER, policy=replace(POLICY, reminder_interval=minutes(20)))
    decisions = after(*runs("F" * 16), policy=policy)

    told = {number * 5: heard(each) for number, each in enumerate(decisions) if each.notices}
    assert told == {
        0: ["new: email"],
        20: ["reminder: email"],
        30: ["escalated: pager"],
        60: ["reminder: email pager"],
    }


def test_a_reminder_that_is_due_when_others_join_is_no_reminder_to_them() -> None:
    policy = routed(EVERYBODY, to("pager", after=minutes(5)), policy=NOISY)
    decisions = after(*runs("FFF"), policy=policy)

    assert [heard(each) for each in decisions] == [
        ["new: email"],
        ["reminder: email", "escalated: pager"],
        ["reminder: email pager"],
    ]


def test_who_has_been_told_already_is_not_escalated_to() -> None:
    policy = routed(EVERYBODY, to("pager", severity="critical"), LATER)
    decisions = after(*runs("F" * 10), policy=policy)

    assert [heard(each) for each in decisions if each.notices] == [["new: email pager"]]


@pytest.mark.parametrize(
    ("people", "policy"),
    [
        pytest.param(acknowledged(QUEUE, before=2), POLICY, id="acknowledged"),
        pytest.param(silenced(minutes_long=200), POLICY, id="silenced"),
        pytest.param(lambda _, state: state, QUIET, id="a warning at night"),
    ],
)
def test_nobody_is_escalated_to_when_it_is(people: Any, policy: Policy) -> None:
    mark = "W" if policy is QUIET else "F"
    decisions = after(
        *runs(mark * 12), policy=routed(EVERYBODY, LATER, policy=policy), people=people
    )

    assert not [each for each in decisions if "escalated: pager" in heard(each)]


def test_an_escalation_counts_from_when_it_was_told_first() -> None:
    policy = routed(EVERYBODY, LATER, failure_threshold=4)
    decisions = after(*runs("F" * 12), policy=policy)

    told = {number * 5: heard(each) for number, each in enumerate(decisions) if each.notices}
    assert told == {15: ["new: email"], 45: ["escalated: pager"]}


def test_an_escalation_may_be_for_critical_only() -> None:
    policy = routed(EVERYBODY, to("pager", after=minutes(30), severity="critical"))

    assert len([each for each in after(*runs("W" * 10), policy=policy) if each.notices]) == 1


# Recoveries


@pytest.mark.parametrize(
    ("default", "own", "expected"),
    [
        pytest.param(False, {}, [], id="nobody asked"),
        pytest.param(True, {}, ["recovered: slack email"], id="all that were told"),
        pytest.param(False, {"slack": True}, ["recovered: slack"], id="one channel asked"),
        pytest.param(True, {"slack": False}, ["recovered: email"], id="one channel declined"),
        pytest.param(False, {"pager": True}, [], id="who asked was not told"),
    ],
)
def test_who_was_told_and_wants_to_know_hears_of_the_recovery(
    default: bool, own: dict[str, bool], expected: list[str]
) -> None:
    policy = routed(to("slack", "email"), recovery=default, recoveries=own)

    assert heard(after(BAD, WELL, policy=policy)[1]) == expected


def test_who_was_escalated_to_hears_of_the_recovery() -> None:
    policy = routed(EVERYBODY, LATER, recovery=True)

    assert heard(after(*runs("FFFFFFFP"), policy=policy)[-1]) == ["recovered: email pager"]


def test_a_channel_that_is_gone_hears_nothing() -> None:
    state = after(BAD, policy=routed(to("slack", "email")))[0].state
    left = replace(POLICY, recovery=True, routing=Routing(notifiers=("email",)))

    decision = after(WELL, policy=left, people=lambda _, __: state)[0]
    assert heard(decision) == ["recovered: email"]


def test_where_there_is_no_channel_stdout_is_told() -> None:
    decisions = after(BAD, WELL, policy=replace(POLICY, recovery=True))

    assert [heard(each) for each in decisions] == [["new: -"], ["recovered: -"]]


# Owners that lead nowhere


def test_an_owner_that_no_route_knows_is_told_once_and_everybody_hears_of_its_check() -> None:
    report = run(failed(owner="search-team"), passed(BACKUP, owner="db"))
    decisions = after(report, report, policy=routed(DB, policy=NOISY))

    assert heard(decisions[0]) == ["new: slack email pager", "new: slack email pager"]
    fact = "owner search-team leads nowhere: no route fits 1 check"
    assert decisions[0].state.incidents["run:routes"].fact == fact
    assert heard(decisions[1]) == ["reminder: slack email pager"]
    assert not decisions[0].broken


def test_an_owner_that_a_route_knows_again_is_well() -> None:
    report = run(passed(owner="search-team"))
    first = after(report, policy=routed(DB))[0]
    policy = routed(DB, to("email", owner="search-team"))

    decision = after(report, policy=policy, people=lambda _, __: first.state)[0]
    assert first.state.incidents.keys() == {"run:routes"}
    assert not first.failing
    assert decision.state.incidents == {}


def test_several_forgotten_owners_are_one_message() -> None:
    report = run(passed(owner="a"), passed(BACKUP, owner="b"))

    (notice,) = after(report, policy=routed(DB))[0].notices
    assert notice.incident.fact.startswith("2 problems (routes): owner a leads nowhere")

"""One cause, one message: what fails because something else does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from suites import (
    ISSUE,
    NIGHT,
    NOISY,
    POLICY,
    QUIET,
    TELLING,
    acknowledged,
    after,
    blocked,
    failed,
    minutes,
    passed,
    run,
    silence,
    skipped,
    warned,
)

from yakei.incidents import Decision, decide
from yakei.incidents.policy import Policy
from yakei.results import CheckResult, RunReport

A, B, C, D = (f"monitors/test_{name}.py::test_{name}" for name in ("ping", "http", "shop", "mail"))
DATABASE = "resource:database main"


def needs(*checks: str, by: str, **more: object) -> CheckResult:
    return failed(by, depends_on=checks, **more)


def heard(decision: Decision) -> dict[str, str]:
    """Return what is told, as reasons by the keys of incidents."""
    return {each.incident.key: str(each.reason) for each in decision.notices}


@pytest.mark.parametrize(
    ("report", "told"),
    [
        pytest.param(run(failed(A), needs(A, by=B)), {A}, id="only the cause"),
        pytest.param(run(needs(A, by=B), failed(A)), {A}, id="in whatever order they ran"),
        pytest.param(run(passed(A), needs(A, by=B)), {B}, id="what it needs is well"),
        pytest.param(run(skipped(A), failed(C), needs(A, by=B)), {A, B, C}, id="was skipped"),
        pytest.param(
            run(failed(A), needs(A, by=B), needs(B, by=C)), {A}, id="a chain has one cause"
        ),
        pytest.param(
            run(failed(A), passed(B, depends_on=(A,)), needs(B, by=C)),
            {A},
            id="a link of the chain that is well",
        ),
        pytest.param(
            run(failed(A), failed(B), needs(A, B, by=C)), {A, B}, id="two causes are both told"
        ),
        pytest.param(run(needs(B, by=A), needs(A, by=B)), {A, B}, id="a circle hides nobody"),
        pytest.param(run(needs(A, by=A)), {A}, id="nobody is the cause of himself"),
        pytest.param(
            run(needs(B, by=A), needs(A, by=B), needs(A, by=C)),
            {A, B},
            id="a circle is the cause of what hangs on it",
        ),
        pytest.param(
            run(needs(B, by=A), needs(A, C, by=B), failed(C)), {C}, id="a circle with a cause"
        ),
        pytest.param(
            run(failed(A, known_issue=ISSUE), needs(A, by=B)), {B}, id="a known issue hides nobody"
        ),
        pytest.param(
            run(blocked(A), needs("database main", by=B)), {DATABASE}, id="a resource by its name"
        ),
        pytest.param(
            run(blocked(A), needs(DATABASE, by=B)), {DATABASE}, id="a resource by its key"
        ),
        pytest.param(
            run(blocked(A), needs(A, by=B)), {DATABASE}, id="a check that a resource blocks"
        ),
        pytest.param(run(needs("no such check", by=B)), {B}, id="a name that nobody has"),
    ],
)
def test_a_cause_is_told_and_what_follows_from_it_is_not(report: RunReport, told: set[str]) -> None:
    assert heard(after(report)[0]).keys() == told


def test_what_follows_is_counted_with_its_cause_and_kept() -> None:
    decision = after(run(failed(A), needs(A, by=B), needs(B, by=C)))[0]

    assert decision.notices[0].explains == (B, C)
    assert decision.state.incidents[C].cause == A
    assert decision.state.incidents[C].quiet == f"because of {A}"
    assert decision.failing


def test_what_still_fails_when_the_cause_is_over_is_told_at_once() -> None:
    decisions = after(run(failed(A), needs(A, by=B)), run(passed(A), needs(A, by=B)))

    assert [heard(each) for each in decisions] == [{A: "new"}, {B: "new"}]


def test_what_fails_below_its_threshold_when_the_cause_is_over_waits() -> None:
    late = needs(A, by=B, failure_threshold=3)
    decisions = after(run(failed(A), late), run(passed(A), late), run(passed(A), late))

    assert [heard(each) for each in decisions] == [{A: "new"}, {}, {B: "new"}]


def test_what_was_told_before_its_cause_is_not_reminded_and_recovers() -> None:
    reports = (
        run(passed(A), needs(A, by=B)),
        run(failed(A), needs(A, by=B)),
        run(failed(A), passed(B, depends_on=(A,))),
    )
    decisions = after(*reports, policy=replace(NOISY, recovery=True))

    expected = [{B: "new"}, {A: "new"}, {A: "reminder", B: "recovered"}]
    assert [heard(each) for each in decisions] == expected


def test_what_was_never_told_does_not_recover() -> None:
    reports = run(failed(A), needs(A, by=B)), run(failed(A), passed(B)), run(passed(A), passed(B))
    decisions = after(*reports, policy=TELLING)

    assert [heard(each) for each in decisions] == [{A: "new"}, {}, {A: "recovered"}]


# A cause that was not judged in this run


def test_a_cause_that_is_not_due_still_explains() -> None:
    second = run(needs(A, by=B), not_due=(A,))
    decisions = after(run(failed(A), passed(B)), second)

    assert [heard(each) for each in decisions] == [{A: "new"}, {}]


@pytest.mark.parametrize(
    ("cause", "policy"),
    [
        pytest.param(failed(A, failure_threshold=2), POLICY, id="that nobody was told of"),
        pytest.param(warned(A), POLICY, id="that was told as a warning"),
        pytest.param(failed(A, known_issue=ISSUE), POLICY, id="that is a known issue"),
    ],
)
def test_a_cause_that_is_not_due_hides_nothing_that_it_does_not_tell(
    cause: CheckResult, policy: Policy
) -> None:
    decisions = after(run(cause, passed(B)), run(needs(A, by=B), not_due=(A,)), policy=policy)

    assert heard(decisions[1]) == {B: "new"}


# A cause of which people do not hear


def test_a_silenced_cause_explains_all_the_same() -> None:
    quiet = silence("*test_ping*", until=NIGHT + minutes(60))
    report = run(failed(A), needs(A, by=B))

    decision = after(report, people=lambda _, state: replace(state, silences=(quiet,)))[0]
    assert heard(decision) == {}
    assert not decision.failing


def test_an_acknowledged_cause_explains_all_the_same() -> None:
    reports = run(failed(A), passed(B)), run(failed(A), needs(A, by=B))

    decision = after(*reports, people=acknowledged(A, before=1))[1]
    assert heard(decision) == {}
    assert not decision.failing


def test_a_warning_that_explains_something_critical_is_critical() -> None:
    decisions = after(
        run(warned(A), passed(B)), run(warned(A), needs(A, by=B)), policy=QUIET, start=NIGHT
    )

    assert [heard(each) for each in decisions] == [{}, {A: "new"}]
    assert decisions[1].notices[0].incident.severity == "critical"


@pytest.mark.parametrize(
    "quiet",
    [
        pytest.param({"known_issue": ISSUE}, id="a known issue"),
        pytest.param({"failure_threshold": 3}, id="what has not lasted"),
    ],
)
def test_a_warning_does_not_become_critical_by_what_nobody_would_hear(
    quiet: dict[str, object],
) -> None:
    decision = after(run(warned(A), needs(A, by=B, **quiet)), policy=QUIET)[0]

    assert heard(decision) == {}


def test_a_long_chain_is_found_in_no_time() -> None:
    links = [f"m.py::test_{number}" for number in range(500)]
    chain = [failed(link, depends_on=tuple(links[:n][-3:])) for n, link in enumerate(links)]

    decision = decide(after(run(passed(A)))[0].state, run(*chain), POLICY, NIGHT + minutes(5))
    assert len(decision.notices[0].explains) + len(decision.notices) >= 499

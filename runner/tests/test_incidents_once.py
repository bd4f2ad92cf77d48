"""What is told once, and what is known of checks that cannot tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from suites import (
    BACKUP,
    BAD,
    ISSUE,
    NIGHT,
    NOISY,
    NOTHING,
    POLICY,
    QUEUE,
    WELL,
    after,
    blocked,
    depth,
    failed,
    minutes,
    passed,
    reasons,
    run,
    skipped,
    told,
)

from yakei.incidents import decide
from yakei.incidents.remembered import History, Reading
from yakei.results import CheckResult, KnownIssue, Outcome, Severity

# What does not come


@pytest.mark.parametrize(
    ("gap", "expected"),
    [
        pytest.param(5, NOTHING, id="in time"),
        pytest.param(10, NOTHING, id="one run late"),
        pytest.param(100, ["missed runs"], id="a long time without a run"),
        pytest.param(-600, NOTHING, id="the clock was set back"),
    ],
)
def test_runs_that_did_not_come(gap: float, expected: list[str]) -> None:
    assert reasons(after(WELL, WELL, every=gap))[1] == expected


def test_missed_runs_are_told_once_with_their_times() -> None:
    decisions = after(WELL, WELL, every=100)
    following = decide(decisions[1].state, WELL, POLICY, NIGHT + minutes(105))

    fact = "no run between 03:00 and 04:40 (100 min)"
    assert [each.incident.fact for each in decisions[1].notices] == [fact]
    assert not following.notices


def test_a_check_that_is_not_due_has_not_vanished() -> None:
    decision = after(run(failed(), passed(BACKUP)), run(passed(BACKUP), not_due=(QUEUE,)))[1]

    assert not decision.notices
    assert QUEUE in decision.state.incidents
    assert not decision.failing


def test_a_partial_run_misses_nobody_and_closes_nothing_that_it_did_not_run() -> None:
    decision = after(run(failed(), passed(BACKUP)), run(passed(BACKUP), partial=True), every=60)[1]

    assert not decision.notices
    assert list(decision.state.incidents) == [QUEUE]
    assert decision.state.last_run == NIGHT


def test_a_partial_run_closes_the_incident_of_a_check_that_it_ran() -> None:
    assert after(BAD, run(passed(), partial=True))[1].state.incidents == {}


# Skips and known issues


def test_a_skip_that_nobody_allowed_is_told_once_until_the_check_was_judged() -> None:
    skip, fine = run(skipped(), passed(BACKUP)), run(passed(), passed(BACKUP))
    decisions = after(skip, skip, fine, skip)

    assert reasons(decisions) == told("skipped", "", "", "skipped")
    assert decisions[0].notices[0].incident.fact == "not judged: no key queues"
    assert [each.failing for each in decisions] == [True, True, False, True]


@pytest.mark.parametrize("pattern", [QUEUE, "monitors/test_queues.py*", "*[analyze_page]"])
def test_an_allowed_skip_is_not_told(pattern: str) -> None:
    decision = after(run(skipped(), passed(BACKUP)), policy=replace(POLICY, allow_skips=(pattern,)))

    assert not decision[0].notices
    assert not decision[0].failing


def test_a_known_issue_is_quiet_while_it_fails() -> None:
    decisions = after(*[run(failed(known_issue=ISSUE))] * 3, policy=NOISY)

    assert reasons(decisions) == told("", "", "")
    assert not decisions[0].failing


def test_a_known_issue_that_passes_is_told_once() -> None:
    reports = run(failed(known_issue=ISSUE)), *[run(passed(known_issue=ISSUE))] * 2

    assert reasons(after(*reports)) == told("", "known issue passes", "")


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        pytest.param(date(2026, 1, 18), NOTHING, id="its last day is today"),
        pytest.param(date(2026, 1, 17), ["known issue expired"], id="its last day is over"),
        pytest.param("soon", ["known issue expired"], id="its last day is no date"),
    ],
)
def test_a_known_issue_whose_day_has_come_is_told(until: Any, expected: list[str]) -> None:
    known = KnownIssue(reference="SHOP-12", until=str(until))

    assert reasons(after(run(failed(known_issue=known))))[0] == expected


# The clock, and what is known of checks that cannot tell


@pytest.mark.parametrize("back", [timedelta(hours=1), timedelta(days=400)])
def test_a_clock_that_was_set_back_silences_nothing(back: timedelta) -> None:
    state = after(BAD)[0].state
    then = NIGHT - back

    decisions = [decide(state, BAD, POLICY, then)]
    for number in range(1, 13):
        decisions.append(decide(decisions[-1].state, BAD, POLICY, then + minutes(5 * number)))

    assert [bool(each.notices) for each in decisions] == [False] * 12 + [True]
    assert decisions[-1].notices[0].incident.since == then


def test_a_crashed_check_is_known_by_what_it_said_when_it_passed() -> None:
    known = passed(claim="The queue is short.", owner="search", severity=Severity.WARNING)
    crash = CheckResult(id=QUEUE, outcome=Outcome.CRASHED, fact="died by SIGSEGV")

    result = after(run(known), run(crash))[1].notices[0].result

    assert result
    assert (result.owner, result.severity) == ("search", Severity.WARNING)
    assert result.fact == "died by SIGSEGV"


def test_a_check_that_was_not_judged_keeps_its_values() -> None:
    decision = after(run(depth(10)), run(blocked()))[1]

    reading = Reading(at=NIGHT, measures=depth(10).measures)
    history = decision.state.histories[QUEUE]
    assert history == History(last=reading, good=reading, profile=passed(), recent=".")

"""One message for one cause: a resource, the run itself, runs that do not come."""

from __future__ import annotations

from dataclasses import replace

import pytest
from suites import (
    BACKUP,
    NIGHT,
    NOISY,
    POLICY,
    QUEUE,
    WELL,
    after,
    blocked,
    failed,
    minutes,
    passed,
    run,
    trouble,
)

from yakei.incidents import busy, decide
from yakei.incidents.remembered import State
from yakei.results import Outcome, ProblemKind, Severity

# One cause for many checks


def test_a_resource_that_is_down_is_one_incident_that_counts_its_checks() -> None:
    decision = after(run(blocked(), blocked(BACKUP)))[0]

    assert [each.incident.key for each in decision.notices] == ["resource:database main"]
    fact = "connection refused at db01:5432; 2 checks not judged"
    assert decision.notices[0].incident.fact == fact
    assert decision.notices[0].incident.checks == (QUEUE, BACKUP)


def test_the_incident_of_a_check_that_is_blocked_stays_and_is_not_reminded() -> None:
    decision = after(run(failed()), run(blocked()), policy=NOISY)[1]

    assert [each.incident.key for each in decision.notices] == ["resource:database main"]
    assert decision.state.incidents[QUEUE].runs == 1
    assert QUEUE not in {each.key for each in decision.still_failing}


def test_a_resource_is_back_when_a_check_that_needs_it_is_judged() -> None:
    decision = after(run(blocked(), blocked(BACKUP)), run(failed(), passed(BACKUP)))[1]

    assert [each.key for each in decision.recovered] == ["resource:database main"]


def test_a_resource_is_not_back_because_nobody_asked() -> None:
    decision = after(run(blocked()), run(passed(BACKUP), not_due=(QUEUE,)))[1]

    assert "resource:database main" in decision.state.incidents


def test_a_resource_that_only_warnings_need_is_a_warning() -> None:
    incident = after(run(blocked(severity=Severity.WARNING)))[0].notices[0].incident

    assert incident.severity is Severity.WARNING


def test_checks_that_the_deadline_took_the_turn_of_belong_to_the_run() -> None:
    waiting = replace(passed(), outcome=Outcome.NOT_JUDGED, fact="the deadline came before")
    decision = after(run(waiting, problems=(trouble(ProblemKind.DEADLINE),)))[0]

    assert [each.incident.key for each in decision.notices] == ["run:deadline"]
    assert QUEUE in decision.notices[0].details


# The run itself


HARMLESS = [ProblemKind.SURVIVORS, ProblemKind.SLOW, ProblemKind.ROUTES]


@pytest.mark.parametrize("kind", [each for each in ProblemKind if each not in HARMLESS])
def test_a_broken_run_is_told_once_and_is_broken_each_time(kind: ProblemKind) -> None:
    broken = run(passed(), problems=(trouble(kind),))
    decisions = after(WELL, broken, broken)

    assert [len(each.notices) for each in decisions] == [0, 1, 0]
    assert [each.broken for each in decisions] == [False, True, True]


@pytest.mark.parametrize("kind", HARMLESS)
def test_what_costs_the_run_nothing_is_a_warning_and_breaks_no_run(kind: ProblemKind) -> None:
    decision = after(run(passed(), problems=(trouble(kind),)))[0]

    assert decision.notices[0].incident.severity is Severity.WARNING
    assert not decision.broken


def test_a_crashed_check_breaks_the_run() -> None:
    assert after(run(replace(failed(), outcome=Outcome.CRASHED)))[0].broken


def test_a_broken_run_recovers_with_a_complete_one() -> None:
    broken = run(problems=(trouble(ProblemKind.CRASH),))
    decisions = after(broken, run(passed(), partial=True), WELL)

    assert [list(each.state.incidents) for each in decisions] == [["run:crash"]] * 2 + [[]]


def test_a_broken_run_says_that_nothing_was_checked() -> None:
    decision = after(run(problems=(trouble(ProblemKind.CONFIGURATION, "yakei.toml: bad"),)))[0]

    fact = "NOT RUNNING - 0 checks executed (configuration): yakei.toml: bad"
    assert decision.notices[0].incident.fact == fact
    assert str(decision.notices[0].reason) == "run broken"


def test_a_file_that_does_not_import_makes_nobody_vanish() -> None:
    broken = run(passed(), problems=(trouble(ProblemKind.COLLECTION),))
    decision = after(run(passed(), passed(BACKUP)), broken)[1]

    assert decision.vanished == ()
    assert decision.state.population == (QUEUE, BACKUP)


def test_two_broken_files_and_a_failing_check_are_all_told() -> None:
    problems = (trouble(ProblemKind.COLLECTION, "a.py"), trouble(ProblemKind.COLLECTION, "b.py"))
    notices = after(run(failed(), problems=problems))[0].notices

    assert [each.incident.key for each in notices] == ["run:collection", QUEUE]
    assert notices[0].incident.fact == "2 problems (collection): a.py; b.py"


def test_a_busy_lock_is_told_once_and_counts_the_runs_that_it_cost() -> None:
    state, notices = State(), []
    for number in range(4):
        decision = busy(state, "held by pid 4711\nNow test_a", POLICY, NIGHT + minutes(number))
        state, notices = decision.state, [*notices, *decision.notices]

    assert [each.incident.fact for each in notices] == ["held by pid 4711"]
    assert state.incidents["run:busy"].runs == 4


def test_a_run_that_gets_the_lock_again_closes_the_overlap() -> None:
    state = busy(State(), "held", POLICY, NIGHT).state

    assert decide(state, WELL, POLICY, NIGHT + minutes(5)).state.incidents == {}

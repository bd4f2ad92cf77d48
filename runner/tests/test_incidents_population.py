"""The suite itself: checks that vanish, checks that newly skip, and a run that proves nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from suites import (
    BACKUP,
    NIGHT,
    NOISY,
    QUEUE,
    QUIET,
    TELLING,
    WELL,
    acknowledged,
    after,
    failed,
    minutes,
    passed,
    reasons,
    run,
    skipped,
    told,
    trouble,
)

from yakei.incidents import decide
from yakei.incidents.remembered import Acknowledgement
from yakei.results import ProblemKind, RunReport
from yakei.routes import Routing

VANISHED, SKIP = "run:vanished", f"skip:{QUEUE}"
BOTH, LEFT = run(passed(), passed(BACKUP)), run(passed(BACKUP))
THIRD = "monitors/test_web.py::test_answers"


# Vanished


def test_a_check_that_vanished_is_an_incident_until_it_is_back() -> None:
    decisions = after(BOTH, LEFT, LEFT, BOTH, policy=replace(NOISY, recovery=True))

    assert reasons(decisions) == told("", "vanished", "reminder", "recovered")
    assert [each.broken for each in decisions] == [False, True, True, False]


def test_it_is_reminded_as_everything_else() -> None:
    decisions = after(BOTH, *[LEFT] * 15)

    assert [number for number, each in enumerate(decisions) if each.notices] == [1, 13]


def test_its_own_incident_closes_as_removed_and_never_as_recovered() -> None:
    decisions = after(run(failed(), passed(BACKUP)), LEFT, policy=TELLING)

    assert reasons(decisions) == told("new", "vanished")
    assert [each.key for each in decisions[1].removed] == [QUEUE]
    assert decisions[1].recovered == ()


def test_a_check_that_was_renamed_is_two_checks() -> None:
    renamed = run(failed(THIRD), passed(BACKUP))
    decision = after(run(failed(), passed(BACKUP)), renamed, policy=TELLING)[1]

    assert sorted(reasons([decision])[0]) == ["new", "vanished"]
    assert [each.key for each in decision.removed] == [QUEUE]


def test_a_check_that_is_let_go_is_forgotten() -> None:
    decisions = after(BOTH, LEFT, LEFT, LEFT, people=acknowledged(VANISHED, before=2))

    assert reasons(decisions) == told("", "vanished", "", "")
    assert [each.broken for each in decisions] == [False, True, False, False]
    assert [each.key for each in decisions[2].removed] == [VANISHED]
    assert decisions[2].forgotten == (QUEUE,)


def test_what_is_known_of_it_is_kept_until_it_is_let_go() -> None:
    decisions = after(BOTH, LEFT, LEFT, people=acknowledged(VANISHED, before=2))

    kept = [QUEUE in each.state.histories for each in decisions]
    assert kept == [True, True, False]
    assert [QUEUE in each.state.population for each in decisions] == kept


def test_it_is_not_let_go_in_a_run_that_does_not_know_the_suite() -> None:
    partial = run(passed(BACKUP), partial=True)
    decisions = after(BOTH, LEFT, partial, LEFT, people=acknowledged(VANISHED, before=2))

    assert [VANISHED in each.state.incidents for each in decisions] == [False, True, True, False]
    assert not decisions[2].broken


def test_another_check_that_vanishes_is_told_at_once() -> None:
    three = run(passed(), passed(BACKUP), passed(THIRD))
    decisions = after(three, run(passed(BACKUP), passed(THIRD)), run(passed(THIRD)))

    assert reasons(decisions) == told("", "vanished", "vanished")
    assert decisions[2].notices[0].incident.checks == (QUEUE, BACKUP)


def test_another_one_that_vanishes_when_the_first_is_let_go_is_told() -> None:
    three = run(passed(), passed(BACKUP), passed(THIRD))
    decisions = after(
        three,
        run(passed(BACKUP), passed(THIRD)),
        run(passed(THIRD)),
        run(passed(THIRD)),
        people=acknowledged(VANISHED, before=2),
    )

    assert reasons(decisions) == told("", "vanished", "vanished", "")
    first, _, second = (each.state.incidents[VANISHED] for each in decisions[1:])
    assert second.checks == (BACKUP,)
    assert first.id != second.id
    assert decisions[3].broken


def test_who_was_told_of_the_first_hears_that_all_are_back() -> None:
    three = run(passed(), passed(BACKUP), passed(THIRD))
    state = after(three, run(passed(BACKUP), passed(THIRD)), policy=TELLING)[1].state
    told_pager = replace(state.incidents[VANISHED], told_to=("-", "pager"))
    known = Acknowledgement(incident=told_pager.id, reason="on it", by="ops", at=NIGHT)
    state = replace(state, incidents={VANISHED: told_pager}, acknowledgements=(known,))
    policy = replace(TELLING, routing=Routing(notifiers=("-", "pager")))

    second = decide(state, run(passed(), passed(THIRD)), TELLING, NIGHT + minutes(10))
    third = decide(second.state, three, policy, NIGHT + minutes(15))
    assert second.notices[0].to == ("-",)
    assert third.notices[0].to == ("-", "pager")


def test_one_that_comes_back_before_it_is_let_go_stays() -> None:
    decisions = after(BOTH, LEFT, BOTH, LEFT, people=acknowledged(VANISHED, before=2))

    assert reasons(decisions) == told("", "vanished", "", "vanished")


# Skips


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        pytest.param(
            [BOTH, run(skipped(), passed(BACKUP)), run(skipped(), passed(BACKUP))],
            told("", "skipped", "reminder"),
            id="a check that was judged before is missed",
        ),
        pytest.param(
            [run(skipped(), passed(BACKUP))] * 3,
            told("skipped", "", ""),
            id="one that never was is told once",
        ),
        pytest.param(
            [BOTH, run(skipped(), passed(BACKUP)), BOTH],
            told("", "skipped", "recovered"),
            id="judged again, and well",
        ),
        pytest.param(
            [BOTH, run(skipped(), passed(BACKUP)), run(failed(), passed(BACKUP))],
            told("", "skipped", "new"),
            id="judged again, and failing",
        ),
        pytest.param(
            [BOTH, run(skipped(), passed(BACKUP)), LEFT],
            told("", "skipped", "vanished"),
            id="vanished altogether",
        ),
    ],
)
def test_a_check_that_newly_skips(reports: list[RunReport], expected: list[list[str]]) -> None:
    policy = replace(NOISY, recovery=True)

    assert reasons(after(*reports, policy=policy)) == expected


def test_a_skip_of_the_night_that_becomes_a_failure_has_not_recovered() -> None:
    skip, well, bad = (run(each, passed(BACKUP)) for each in (skipped(), passed(), failed()))
    policy = replace(QUIET, recovery=True, interval=minutes(60))
    evening = NIGHT - minutes(6 * 60)
    reports = well, skip, well, skip, *[bad] * 7
    decisions = after(*reports, policy=policy, start=evening, every=60)

    assert not [each for each in reasons(decisions) if "recovered" in each]


def test_an_acknowledged_skip_is_quiet_and_no_failure() -> None:
    skip = run(skipped(), passed(BACKUP))
    decisions = after(BOTH, skip, skip, policy=NOISY, people=acknowledged(SKIP, before=2))

    assert reasons(decisions) == told("", "skipped", "")
    assert [each.failing for each in decisions] == [False, True, False]


def test_a_skip_that_is_allowed_from_now_on_is_over_without_a_word() -> None:
    skip = run(skipped(), passed(BACKUP))
    state = after(BOTH, skip, policy=TELLING)[1].state
    policy = replace(TELLING, allow_skips=(QUEUE,))

    decision = decide(state, skip, policy, NIGHT + minutes(10))
    assert (decision.notices, decision.state.incidents) == ((), {})


def test_a_failing_check_that_skips_has_not_recovered() -> None:
    reports = run(failed(), passed(BACKUP)), run(skipped(), passed(BACKUP))
    decision = after(*reports, policy=TELLING)[1]

    assert decision.state.incidents.keys() == {QUEUE, SKIP}


# What the run says of itself


def test_a_slow_suite_is_told_once_until_it_is_over() -> None:
    slow = run(passed(), problems=(trouble(ProblemKind.SLOW),))
    decisions = after(slow, slow, WELL, policy=replace(NOISY, recovery=True))

    assert reasons(decisions) == told("new", "", "recovered")
    assert not any(each.failing or each.broken for each in decisions)


def test_no_pass_is_believed_when_the_canary_sings() -> None:
    canary = run(passed(), problems=(trouble(ProblemKind.CANARY),))
    decisions = after(run(failed()), canary, WELL, policy=TELLING)

    assert reasons(decisions) == told("new", "run broken", "recovered, recovered")
    assert decisions[1].broken


@pytest.mark.parametrize("kind", [ProblemKind.NOTHING_COLLECTED, ProblemKind.EVERYTHING_SKIPPED])
def test_a_part_that_is_empty_is_told_and_leaves_no_incident(kind: ProblemKind) -> None:
    empty = run(problems=(trouble(kind),), partial=True)
    decisions = after(WELL, empty, empty, WELL, empty, every=2)

    assert reasons(decisions) == told("", "run broken", "", "", "run broken")
    assert decisions[1].state.incidents == {}
    assert decisions[1].broken

"""From the first failing run to the last passing one: thresholds, worse, flapping, identity."""

from __future__ import annotations

from dataclasses import replace

import pytest
from suites import (
    BACKUP,
    BAD,
    ISSUE,
    NIGHT,
    POLICY,
    QUEUE,
    QUIET,
    TELLING,
    after,
    blocked,
    depth,
    failed,
    minutes,
    passed,
    reasons,
    run,
    runs,
    told,
)

from yakei.incidents.following import identity
from yakei.incidents.policy import Policy
from yakei.incidents.remembered import Peak
from yakei.results import Measure, RunReport, Severity

SOMETIMES = replace(TELLING, failure_threshold=3, failure_window=5)
SURE = replace(TELLING, recover_after=3)


def lag(value: float, limit: str = "below 60", status: str = "critical") -> RunReport:
    """Return a run in which a measure broke its limit with this value."""
    measure = Measure(name="lag", value=value, unit="s", limit=limit, status=status)
    severity = Severity(status)
    return run(replace(failed(fact=f"lag: {value} s"), measures=(measure,), severity=severity))


def free(value: float) -> RunReport:
    return lag(value, limit="at least 10")


# How many runs


@pytest.mark.parametrize(
    ("policy", "marks", "expected"),
    [
        pytest.param(SOMETIMES, "FPFPF", told("", "", "", "", "new"), id="3 of the last 5"),
        pytest.param(SOMETIMES, "FPPFPF", told(*[""] * 6), id="2 of the last 5 are too few"),
        pytest.param(SOMETIMES, "FFF", told("", "", "new"), id="3 in a row are 3 of 5, too"),
        pytest.param(SOMETIMES, "WPWPW", told("", "", "", "", "new"), id="warnings fail as well"),
        pytest.param(
            SURE, "FPPP", told("new", "", "", "recovered"), id="recovered after three good runs"
        ),
        pytest.param(
            SURE, "FPPFPPP", told("new", *[""] * 5, "recovered"), id="a failure starts the count"
        ),
        pytest.param(
            replace(SURE, failure_threshold=2),
            "FPFF",
            told("", "", "", "new"),
            id="what was never told ends with the first good run",
        ),
    ],
)
def test_so_many_runs_open_and_close_an_incident(
    policy: Policy, marks: str, expected: list[list[str]]
) -> None:
    assert reasons(after(*runs(marks), policy=policy)) == expected


def test_a_check_may_have_its_own_window() -> None:
    bad = run(failed(failure_threshold=2, failure_window=3))

    assert reasons(after(bad, run(passed()), bad)) == told("", "", "new")


def test_a_number_of_its_own_is_in_a_row_whatever_the_window_of_the_others() -> None:
    bad = run(failed(failure_threshold=3))

    decisions = after(bad, run(passed()), bad, bad, policy=SOMETIMES)
    assert reasons(decisions) == told("", "", "", "")


def test_a_resource_has_the_window_of_its_least_patient_check() -> None:
    down = run(
        blocked(claim="It is short.", failure_threshold=2, failure_window=3), blocked(BACKUP)
    )
    well = run(passed(), passed(BACKUP))

    decisions = after(down, well, down, policy=SOMETIMES)
    assert reasons(decisions) == told("", "", "new")


def test_an_incident_that_passes_but_is_not_over_is_not_listed_as_failing() -> None:
    decisions = after(run(failed(), passed(BACKUP)), run(passed(), failed(BACKUP)), policy=SURE)

    assert QUEUE in decisions[1].state.incidents
    assert decisions[1].still_failing == ()
    assert reasons(decisions) == told("new", "new")


# Worse


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        pytest.param([lag(100), lag(199)], told("new", ""), id="not yet doubled"),
        pytest.param([lag(100), lag(200)], told("new", "worse"), id="doubled"),
        pytest.param([lag(100), lag(200), lag(399)], told("new", "worse", ""), id="once"),
        pytest.param([lag(100), lag(200), lag(400)], told("new", "worse", "worse"), id="again"),
        pytest.param(
            [lag(100), lag(200), lag(90), lag(210)],
            told("new", "worse", "", ""),
            id="back at the number that was told",
        ),
        pytest.param([free(8), free(4)], told("new", "worse"), id="halved under a lower limit"),
        pytest.param([free(8), free(16)], told("new", ""), id="doubled under a lower limit"),
        pytest.param([free(8), free(0), free(0)], told("new", "worse", ""), id="down to nothing"),
        pytest.param([lag(0), lag(50)], told("new", ""), id="of zero there is no double"),
        pytest.param([lag(-5), lag(-1)], told("new", ""), id="nor of what is less"),
        pytest.param(
            [lag(100, status="warning"), lag(150)],
            told("new", "worse"),
            id="a warning that is critical has not doubled",
        ),
        pytest.param([lag(100), BAD, lag(200)], told("new", "changed", "worse"), id="unmeasured"),
    ],
)
def test_a_number_that_doubles_is_told_at_once(
    reports: list[RunReport], expected: list[list[str]]
) -> None:
    assert reasons(after(*reports)) == expected


def test_another_measure_that_breaks_its_limit_has_not_doubled() -> None:
    other = replace(lag(900).results[0].measures[0], name="rows")
    reports = lag(100), run(replace(lag(100).results[0], measures=(other,)))

    assert reasons(after(*reports)) == told("new", "")


def test_what_is_worse_knows_what_was_told() -> None:
    decisions = after(lag(100), lag(250))

    notice = decisions[1].notices[0]
    assert notice.told_value == 100
    assert decisions[1].state.incidents[QUEUE].told_value == 250


def test_a_doubled_warning_waits_for_the_morning() -> None:
    reports = [lag(value, status="warning") for value in (100, 200, 200, 200, 200, 200)]
    evening = NIGHT - minutes(5 * 60)

    decisions = after(*reports, policy=QUIET, start=evening, every=110)
    assert [number for number, each in enumerate(reasons(decisions)) if "worse" in each] == [5]


# Flapping


@pytest.mark.parametrize(
    ("policy", "marks", "expected"),
    [
        pytest.param(
            POLICY,
            "FPFPFPFPFP",
            ["new", "", "new", "", "new", "", "flapping", "", "", ""],
            id="told once, then quiet",
        ),
        pytest.param(
            TELLING,
            "PFPFPFPF",
            ["", "new", "recovered", "new", "recovered", "new", "flapping", ""],
            id="it may begin with a run that passes",
        ),
        pytest.param(
            TELLING,
            "FPFPFPF" + "P" * 16,
            ["new", "recovered"] * 3 + ["flapping"] + [""] * 15 + ["recovered"],
            id="stable and well: recovered, once",
        ),
        pytest.param(
            POLICY,
            "WPWPWPWPFPF",
            ["new", "", "new", "", "new", "", "flapping", "", "worse", "", ""],
            id="worse is told, once",
        ),
        pytest.param(
            POLICY,
            "FPFPFPFPWPF",
            ["new", "", "new", "", "new", "", "flapping", "", "", "", ""],
            id="what was critical is not worse",
        ),
        pytest.param(
            replace(POLICY, failure_threshold=3),
            "FPFPFPF",
            ["", "", "", "", "", "", "flapping"],
            id="what never fails often enough in a row is heard of",
        ),
        pytest.param(
            replace(POLICY, reminder_interval=minutes(0)),
            "FPFPFPF" + "F" * 16,
            ["new", "", "new", "", "new", "", "flapping", *[""] * 14, "reminder", "reminder"],
            id="stable and failing: reminded as ever",
        ),
        pytest.param(
            POLICY, "WFWFWFW", ["new", "worse", "", "", "", "", "flapping"], id="two severities"
        ),
    ],
)
def test_what_fails_and_passes_in_turn(policy: Policy, marks: str, expected: list[str]) -> None:
    assert reasons(after(*runs(marks), policy=policy)) == told(*expected)


def test_flapping_is_said_with_its_changes() -> None:
    notice = after(*runs("FPFPFPF"))[-1].notices[0]

    last = "last: 1396 waiting (limit 1000)"
    words = f"fails and passes in turn: 6 changes in the last 6 runs; {last}"
    assert notice.incident.fact == words


def test_flapping_that_began_at_night_is_told_in_the_morning_if_it_goes_on() -> None:
    start = NIGHT + minutes(3 * 60 + 25)
    decisions = after(*runs("WPWPWPWPWPW"), policy=QUIET, start=start)

    assert reasons(decisions) == told(*[""] * 7, *["flapping", "", "", ""])


def test_a_resource_may_flap_too() -> None:
    down, well = run(blocked()), run(passed())

    decisions = after(*[down, well] * 4)
    assert reasons(decisions)[-2:] == told("flapping", "")


def test_a_known_issue_that_flaps_is_quiet() -> None:
    decisions = after(*[run(failed(known_issue=ISSUE)), run(passed(known_issue=ISSUE))] * 6)

    assert [each for each in reasons(decisions) if each] == [["known issue passes"]]


# Who is who


def test_an_incident_keeps_its_id_until_it_is_over() -> None:
    decisions = after(*runs("FFPF"))
    first, second, _, later = (each.state.incidents.get(QUEUE) for each in decisions)

    assert first
    assert second
    assert later
    assert first.id == second.id != later.id
    assert len(first.id) == 6


def test_no_two_open_incidents_have_one_id() -> None:
    first = identity(QUEUE, NIGHT)

    assert identity(QUEUE, NIGHT, {first}) != first


def test_an_incident_of_before_there_were_ids_gets_one() -> None:
    state = after(BAD)[0].state
    nameless = replace(state.incidents[QUEUE], id="")

    decisions = after(BAD, people=lambda _, known: replace(known, incidents={QUEUE: nameless}))
    assert decisions[0].state.incidents[QUEUE].id


def test_the_worst_value_stays_with_its_time() -> None:
    decisions = after(*(run(depth(value)) for value in (1396, 1402, 1391)))

    assert decisions[-1].state.incidents[QUEUE].worst == Peak(value=1402, at=NIGHT + minutes(5))

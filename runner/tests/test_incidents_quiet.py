"""Who is not told for a while, and why: silences, maintenance, acknowledgements, quiet hours."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from suites import (
    BACKUP,
    BAD,
    ISSUE,
    NIGHT,
    NOISY,
    POLICY,
    QUEUE,
    QUIET,
    TELLING,
    WELL,
    acknowledged,
    after,
    blocked,
    depth,
    failed,
    minutes,
    passed,
    reasons,
    run,
    runs,
    silence,
    silenced,
    skipped,
    told,
    trouble,
    warned,
)

from yakei.incidents import decide
from yakei.incidents.policy import Maintenance
from yakei.incidents.remembered import State
from yakei.incidents.windows import parse_window
from yakei.results import CheckResult, Outcome, ProblemKind, RunReport

# Silences


@pytest.mark.parametrize(
    ("pattern", "result", "is_quiet"),
    [
        pytest.param("*", failed(), True, id="everything"),
        pytest.param(QUEUE, failed(), True, id="one check, brackets and all"),
        pytest.param("monitors/test_queues.py*", failed(), True, id="a file"),
        pytest.param("monitors/test_queues.py::test_depth?x*", failed(), False, id="? is a letter"),
        pytest.param("*[orders]", failed(), False, id="another parameter"),
        pytest.param("queue analyze_page", failed(), True, id="what it is called"),
        pytest.param("Queue *", failed(), False, id="upper case is another name"),
        pytest.param("database main", blocked(), True, id="a resource by its name"),
        pytest.param("resource:*", blocked(), True, id="a resource by its key"),
        pytest.param("database main", failed(), False, id="a resource is no check"),
        pytest.param(QUEUE, blocked(), True, id="all checks that a resource blocks"),
    ],
)
def test_a_silence_matches(pattern: str, result: CheckResult, *, is_quiet: bool) -> None:
    people = silenced(pattern, minutes_long=60)
    (decision,) = after(run(result, passed(BACKUP)), people=people)

    assert (decision.notices == ()) is is_quiet
    assert decision.failing is not is_quiet


def test_a_resource_is_told_when_one_of_its_checks_is_not_silenced() -> None:
    (decision,) = after(run(blocked(), blocked(BACKUP)), people=silenced(QUEUE, minutes_long=60))

    assert reasons([decision]) == told("new")


def test_a_silence_of_everything_does_not_hush_up_that_nothing_is_watched() -> None:
    broken = run(problems=(trouble(ProblemKind.CRASH),))
    loud, quiet = (
        after(broken, people=silenced(pattern, minutes_long=60))[0] for pattern in ("*", "run:*")
    )

    assert reasons([loud, quiet]) == told("run broken", "")
    assert quiet.broken


@pytest.mark.parametrize(
    ("marks", "long", "expected"),
    [
        pytest.param("FFFF", 10, told("", "", "new", ""), id="told at once when it ends"),
        pytest.param("FFPP", 10, told("", "", "", ""), id="what came and went was nothing"),
        pytest.param("PFFF", 0, told("", "new", "", ""), id="its end is not in it"),
    ],
)
def test_a_silence_that_ends(marks: str, long: float, expected: list[list[str]]) -> None:
    people = silenced(minutes_long=long)

    assert reasons(after(*runs(marks), policy=TELLING, people=people)) == expected


def begun_after(number: int, *, long: float) -> object:
    quiet = silence(until=NIGHT + minutes(long))

    def people(run_number: int, state: State) -> State:
        return replace(state, silences=(quiet,)) if run_number >= number else state

    return people


def test_what_was_told_before_a_silence_recovers_in_it_at_once_and_once() -> None:
    decisions = after(*runs("FPPFP"), policy=TELLING, people=begun_after(1, long=600))

    assert reasons(decisions) == told("new", "recovered", "", "", "")


def test_reminders_go_on_when_the_silence_is_over() -> None:
    decisions = after(*runs("F" * 6), policy=NOISY, people=begun_after(1, long=20))

    assert reasons(decisions) == told("new", "", "", "", "reminder", "reminder")


def test_a_silenced_incident_is_followed_and_says_why_it_is_quiet() -> None:
    decision = after(BAD, BAD, people=silenced(minutes_long=60))[1]

    incident = decision.state.incidents[QUEUE]
    assert (incident.runs, incident.quiet) == (2, "silenced until 04:00 +0900: moving srv01")
    assert decision.still_failing == ()


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(run(skipped(), passed(BACKUP)), id="a skip"),
        pytest.param(run(passed(known_issue=ISSUE), passed(BACKUP)), id="a known issue"),
    ],
)
def test_what_is_told_once_of_a_silenced_check_is_told_when_that_is_over(
    report: RunReport,
) -> None:
    decisions = after(report, report, report, people=silenced(minutes_long=10))

    assert [len(each.notices) for each in decisions] == [0, 0, 1]


def test_a_silenced_crash_breaks_no_run() -> None:
    crash = run(replace(failed(), outcome=Outcome.CRASHED))

    (decision,) = after(crash, people=silenced(minutes_long=60))
    assert (decision.failing, decision.broken) == (False, False)


def test_flapping_in_a_silence_is_not_told() -> None:
    decisions = after(*runs("FPFPFPFPFPFP"), people=silenced(minutes_long=600))

    assert reasons(decisions) == told(*[""] * 12)


# Maintenance


def maintained(when: str, pattern: str = "*", zone: str = "Asia/Tokyo") -> Maintenance:
    return Maintenance(
        windows=(parse_window(when),), reason="vacuum", pattern=pattern, zone=ZoneInfo(zone)
    )


@pytest.mark.parametrize(
    ("window", "is_quiet"),
    [
        pytest.param(maintained("sun 02:00-04:00"), True, id="every Sunday at three"),
        pytest.param(maintained("mon 02:00-04:00"), False, id="on another day"),
        pytest.param(maintained("02:00-04:00", "*backups*"), False, id="for other checks"),
        pytest.param(maintained("18:00-19:00", zone="UTC"), True, id="in a zone of its own"),
    ],
)
def test_maintenance_quiets_critical_too(window: Maintenance, *, is_quiet: bool) -> None:
    (decision,) = after(BAD, policy=replace(POLICY, maintenance=(window,)))

    assert (decision.notices == ()) is is_quiet
    assert decision.failing is not is_quiet


def test_what_maintenance_has_broken_is_told_when_it_is_over() -> None:
    policy = replace(POLICY, maintenance=(maintained("02:00-03:10"),))
    decisions = after(*runs("FFFF"), policy=policy)

    assert reasons(decisions) == told("", "", "new", "")
    assert decisions[0].state.incidents[QUEUE].quiet == "maintenance until 03:10 +0900: vacuum"


def test_maintenance_does_not_hush_up_that_nothing_is_watched() -> None:
    policy = replace(POLICY, maintenance=(maintained("00:00-24:00"),))

    assert after(run(problems=(trouble(ProblemKind.CRASH),)), policy=policy)[0].notices


# Acknowledgements


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        pytest.param("FFFF", told("new", "", "", ""), id="no reminders"),
        pytest.param("WWFF", told("new", "", "worse", ""), id="worse is told"),
        pytest.param("FFPF", told("new", "", "", "new"), id="until it recovers"),
    ],
)
def test_what_is_acknowledged(marks: str, expected: list[list[str]]) -> None:
    decisions = after(*runs(marks), policy=NOISY, people=acknowledged(QUEUE, before=1))

    assert reasons(decisions) == expected
    assert [each.failing for each in decisions][:2] == [True, False]


def test_a_number_that_doubles_is_told_though_it_is_acknowledged() -> None:
    reports = [run(depth(value)) for value in (1000, 1500, 2000)]
    decisions = after(*reports, policy=NOISY, people=acknowledged(QUEUE, before=1))

    assert reasons(decisions) == told("new", "", "worse")


def test_an_acknowledgement_stays_at_its_incident() -> None:
    decisions = after(*runs("FFF"), people=acknowledged(QUEUE, before=1))

    found = [each.state.incidents[QUEUE].acknowledged for each in decisions]
    assert [each.by if each else None for each in found] == [None, "ops", "ops"]


def test_an_acknowledgement_of_another_incident_does_nothing() -> None:
    decisions = after(BAD, WELL, BAD, BAD, policy=NOISY, people=acknowledged(QUEUE, before=0))

    assert reasons(decisions) == told("new", "", "new", "reminder")


# Recoveries in the quiet hours

EVENING = NIGHT - minutes(5 * 60)
"""22:00: it is not quiet yet."""
TELLING_QUIET = replace(QUIET, recovery=True, interval=minutes(60))


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        pytest.param(
            "WPPPPPPPPPP", ["new", *[""] * 8, "recovered", ""], id="told in the morning, once"
        ),
        pytest.param(
            "WPPWPPPPPPP",
            ["new", *[""] * 8, "recovered", ""],
            id="failed again, of which nobody heard: one recovery",
        ),
        pytest.param(
            "WPPWWWWWWWP",
            ["new", *[""] * 8, "new", "recovered"],
            id="fails in the morning: one new, one recovery",
        ),
        pytest.param(
            "FPPPPPPPPPP", ["new", "recovered", *[""] * 9], id="of what is critical at once"
        ),
        pytest.param(
            "WPFPPPPPPPP",
            ["new", "", "new", "recovered", *[""] * 7],
            id="critical at night: its recovery is that of both",
        ),
        pytest.param("PWPPPPPPPPP", [""] * 11, id="nobody was told of it"),
    ],
)
def test_a_recovery_of_the_night(marks: str, expected: list[str]) -> None:
    decisions = after(*runs(marks), policy=TELLING_QUIET, start=EVENING, every=60)

    assert reasons(decisions) == told(*expected)


def test_what_vanishes_does_not_recover() -> None:
    reports = [run(warned(), passed(BACKUP)), run(passed(), passed(BACKUP)), run(passed(BACKUP))]
    decisions = after(*reports, policy=TELLING_QUIET, start=EVENING, every=60)

    assert reasons(decisions) == told("new", "", "vanished")
    assert decisions[-1].state.owed == {}


def test_a_night_on_which_clocks_are_set_back_is_quiet_to_its_end() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    policy = replace(TELLING_QUIET, zone=berlin, quiet_hours=(parse_window("23:00-07:00"),))
    start = NIGHT.replace(month=10, day=24, hour=20, minute=30)  # 22:30 in Berlin
    decisions = after(*runs("PWWWWWWWWWWW"), policy=policy, start=start, every=60)

    assert next(number for number, each in enumerate(decisions) if each.notices) == 10


def test_a_state_of_before_does_not_know_whom_it_has_told() -> None:
    state = after(BAD)[0].state
    old = replace(state.incidents[QUEUE], told_to=())

    decision = decide(replace(state, incidents={QUEUE: old}), WELL, TELLING, NIGHT + minutes(5))
    assert reasons([decision]) == told("recovered")

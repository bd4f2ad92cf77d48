"""When people are told, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from suites import (
    BACKUP,
    BAD,
    NIGHT,
    NOISY,
    PATIENT,
    POLICY,
    QUEUE,
    QUIET,
    TELLING,
    WARNED,
    WELL,
    after,
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
from yakei.incidents.policy import Policy
from yakei.incidents.remembered import Reading
from yakei.results import Outcome, RunReport


@pytest.mark.parametrize(
    ("policy", "reports", "expected"),
    [
        pytest.param(POLICY, [WELL, WELL], told("", ""), id="all is well: nothing is told"),
        pytest.param(POLICY, [BAD], told("new"), id="a failure is told at once"),
        pytest.param(POLICY, [BAD, BAD], told("new", ""), id="a failure is told once"),
        pytest.param(NOISY, [BAD, BAD], told("new", "reminder"), id="0s tells every run"),
        pytest.param(PATIENT, [BAD, BAD], told("", ""), id="one failure may be a blip"),
        pytest.param(PATIENT, [BAD] * 3, told("", "", "new"), id="the third one is none"),
        pytest.param(
            POLICY,
            [BAD, run(failed(fact="table missing: jobs")), BAD],
            told("new", "changed", ""),
            id="another way of failing is told once",
        ),
        pytest.param(
            POLICY,
            [
                run(failed(fact=f"last backup {age} ago (limit 13 h)"))
                for age in ("14 h", "1 d 2 h")
            ],
            told("new", ""),
            id="a moving number is no other way of failing",
        ),
        pytest.param(
            POLICY,
            [run(failed(fact=f"rows {name}")) for name in ("a", "b", "c", "d", "e", "f")],
            told("new", "changed", "changed", "changed", "", ""),
            id="a fact that differs each time is told three times more",
        ),
        pytest.param(
            PATIENT,
            [BAD, BAD, WELL, BAD, BAD],
            told("", "", "", "", ""),
            id="a run that passes starts the count again",
        ),
        pytest.param(
            POLICY,
            [run(failed(failure_threshold=2))] * 2,
            told("", "new"),
            id="a check may have its own threshold",
        ),
        pytest.param(
            POLICY,
            [BAD, WELL, BAD],
            told("new", "", "new"),
            id="recovery is silent, relapse is not",
        ),
        pytest.param(
            TELLING, [BAD, WELL], told("new", "recovered"), id="recovery is told where asked for"
        ),
        pytest.param(
            replace(TELLING, failure_threshold=3),
            [BAD, WELL],
            told("", ""),
            id="no recovery from what was never told",
        ),
        pytest.param(POLICY, [WARNED, BAD], told("new", "worse"), id="a warning becomes critical"),
        pytest.param(
            POLICY,
            [WARNED, BAD, WARNED, BAD],
            told("new", "worse", "", ""),
            id="swaying around the limit is told once",
        ),
        pytest.param(
            POLICY,
            [run(depth(1396)), run(depth(1402)), run(depth(1391))],
            told("new", "", ""),
            id="another value is no new failure",
        ),
        pytest.param(
            POLICY,
            [run(failed(), passed(BACKUP)), run(failed(), failed(BACKUP))],
            told("new", "new"),
            id="a second check that fails is told at once",
        ),
        pytest.param(
            TELLING,
            [run(failed(), failed(BACKUP)), run(passed(), failed(BACKUP))],
            told("new, new", "recovered"),
            id="what goes on failing is not told again when another recovers",
        ),
        pytest.param(QUIET, [BAD], told("new"), id="critical does not wait for the morning"),
        pytest.param(QUIET, [WARNED], told(""), id="a warning waits for the morning"),
        pytest.param(
            QUIET, [WARNED, BAD], told("", "new"), id="a warning that turns critical at night"
        ),
    ],
)
def test_told_at_each_run(
    policy: Policy, reports: list[RunReport], expected: list[list[str]]
) -> None:
    assert reasons(after(*reports, policy=policy)) == expected


def test_reminders_come_after_one_hour_and_then_twice_as_late_each_time() -> None:
    decisions = after(*[BAD] * 150)

    when = [number * 5 for number, each in enumerate(decisions) if each.notices]
    assert when == [0, 60, 180, 420]


def test_a_reminder_comes_at_least_once_a_day() -> None:
    policy = replace(POLICY, interval=timedelta(hours=6))
    decisions = after(*[BAD] * 40, policy=policy, every=60 * 6)

    last = [number for number, each in enumerate(decisions) if each.notices][-4:]
    assert [later - earlier for earlier, later in pairwise(last)] == [4, 4, 4]


def test_a_run_that_cron_starts_a_second_early_reminds_in_time() -> None:
    state = after(BAD)[0].state

    decision = decide(state, BAD, POLICY, NIGHT + timedelta(minutes=59, seconds=59))

    assert reasons([decision])[0][0] == "reminder"


def test_a_reminder_knows_since_when_how_often_and_the_worst_value() -> None:
    values = [1396, 1402, *[1391] * 11]
    notice = after(*(run(depth(value)) for value in values))[12].notices[0]

    incident = notice.incident
    assert (incident.since, incident.runs) == (NIGHT, 13)
    assert incident.worst
    assert (incident.worst.value, incident.worst.at) == (1402, NIGHT + minutes(5))


def test_a_failure_knows_the_values_of_the_runs_before() -> None:
    notice = after(*(run(depth(value)) for value in (900, 980, 995, 1396)))[3].notices[0]

    assert notice.history.last == notice.history.good
    assert notice.history.last == Reading(at=NIGHT + minutes(10), measures=depth(995).measures)


def test_a_relapse_knows_when_it_last_failed() -> None:
    notice = after(WELL, BAD, WELL, BAD)[3].notices[0]

    assert notice.last_failed == NIGHT + minutes(5)


def test_what_was_told_before_is_listed_beside_what_is_new() -> None:
    decision = after(run(failed(), passed(BACKUP)), run(failed(), failed(BACKUP)))[1]

    assert [each.key for each in decision.still_failing] == [QUEUE]


@pytest.mark.parametrize("outcome", [Outcome.ERROR, Outcome.TIMEOUT, Outcome.CRASHED])
def test_what_could_not_be_found_out_is_an_incident(outcome: Outcome) -> None:
    decision = after(run(replace(failed(), outcome=outcome, fact="")))[0]

    assert [str(each.reason) for each in decision.notices] == ["new"]
    assert decision.failing


def test_a_check_that_had_no_turn_for_no_known_cause_is_an_incident() -> None:
    decision = after(run(replace(passed(), outcome=Outcome.NOT_JUDGED, fact="no turn")))[0]

    assert decision.notices[0].incident.fact == "not judged: no turn"


# Quiet hours


def test_a_warning_of_the_night_is_told_in_the_morning_with_its_beginning() -> None:
    decisions = after(*[WARNED] * 5, policy=replace(QUIET, interval=minutes(60)), every=60)

    assert reasons(decisions) == told("", "", "", "", "new")
    assert decisions[-1].notices[0].incident.since == NIGHT


def test_what_is_told_only_once_is_kept_for_the_morning() -> None:
    reports = run(skipped(), passed(BACKUP)), *[run(skipped(), passed(BACKUP))] * 4
    decisions = after(*reports, policy=replace(QUIET, interval=minutes(60)), every=60)

    assert reasons(decisions) == told("", "", "", "", "skipped")


def test_a_recovery_of_the_night_is_not_told_when_it_fails_again_by_morning() -> None:
    policy = replace(QUIET, recovery=True, interval=minutes(60))
    evening = NIGHT - minutes(5 * 60)

    decisions = after(WARNED, *[WELL] * 3, *[WARNED] * 6, policy=policy, start=evening, every=60)

    assert [each for each in reasons(decisions) if each] == [["new"], ["new"]]

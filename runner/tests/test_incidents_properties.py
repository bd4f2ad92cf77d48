"""What holds for every history of runs, however unlikely."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from histories import CHECKS, FAILING, HISTORIES, NEEDS, Belief, Life, Moment, lives
from hypothesis import given

from yakei.incidents.hushing import Hush
from yakei.incidents.policy import Policy
from yakei.incidents.remembered import Incident, Notice, Reason
from yakei.incidents.windows import parse_window
from yakei.results import Severity

ONCE = {Reason.MISSED_RUNS, Reason.KNOWN_ISSUE_PASSES}
LOUD = Policy().quiet_hours


def hushed(moment: Moment, incident: Incident) -> str:
    """Return why people have said that they do not want to hear of it."""
    hush = Hush(moment.before, moment.policy, moment.now)
    return hush.of(incident.key, incident.label, incident.checks)


def keys(moment: Moment, *reasons: Reason) -> set[str]:
    return {each.incident.key for each in moment.decision.notices if each.reason in reasons}


def lasted(marks: str, policy: Policy) -> bool:
    """Return whether a check that did this, newest last, has failed often enough."""
    row = marks[-policy.failure_threshold :]
    if row == "x" * policy.failure_threshold:
        return True
    window = marks[-policy.failure_window :] if policy.failure_window else ""
    return window.count("x") >= policy.failure_threshold


@HISTORIES
@given(lives)
def test_every_problem_that_outlives_its_threshold_is_told(life: Life) -> None:
    """But for what people do not want to hear of, what is explained, and what flaps."""
    marks = dict.fromkeys(CHECKS, "")
    for moment in life.moments(quiet_hours=LOUD):
        after = moment.decision.state
        for check in CHECKS:
            word = moment.of(check)
            gone = check in moment.decision.vanished
            marks[check] = (
                ""
                if gone
                else marks[check]
                + {"pass": ".", "issue": "x"}.get(word, "x" if word in FAILING else "")
            )
            incident = after.incidents.get(check)
            if word in FAILING and lasted(marks[check], moment.policy):
                assert incident
                excused = hushed(moment, incident) or incident.cause or check in after.flapping

                assert incident.told_at or excused


@HISTORIES
@given(lives)
def test_what_is_explained_depends_on_a_cause_that_is_open(life: Life) -> None:
    for moment in life.moments():
        for key, incident in moment.decision.state.incidents.items():
            if incident.cause and moment.of(key) in FAILING:
                cause = moment.decision.state.incidents[incident.cause]
                above = {each for name in NEEDS[key] for each in (name, *NEEDS.get(name, ()))}

                assert incident.cause.removeprefix("resource:") in {*above, "database main"}
                assert not cause.cause
                assert not cause.muted


@HISTORIES
@given(lives)
def test_flapping_is_told_or_nobody_wants_to_hear_of_it(life: Life) -> None:
    for moment in life.moments(quiet_hours=LOUD):
        for check in CHECKS:
            flapping = moment.decision.state.flapping.get(check)
            incident = moment.decision.state.incidents.get(check)
            if flapping and incident and moment.of(check) in FAILING:
                excused = hushed(moment, incident) or incident.cause

                assert flapping.told_severity or excused


@HISTORIES
@given(lives)
def test_nobody_is_told_twice_without_a_reason(life: Life) -> None:
    for moment in life.moments():
        # there may be two gaps in the runs, one of them of the night
        notices = [each for each in moment.decision.notices if each.reason not in ONCE]
        told = [(name, each.incident.key) for each in notices for name in each.to]
        assert max(Counter(told).values(), default=1) == 1
        for notice in moment.decision.notices:
            assert has_its_reason(moment, notice), notice


def has_its_reason(moment: Moment, notice: Notice) -> bool:
    """Return whether there is news in a notice for each of those who are told."""
    key = notice.incident.key
    known = moment.before.incidents.get(key)
    told = known is not None and known.told_at is not None
    same = known is not None and known.id == notice.incident.id
    flapping = moment.before.flapping.get(key)
    before = {each and each.told_severity for each in (known, flapping)}
    news = {
        Reason.FLAPPING: lambda: flapping is None or flapping.told_severity is None,
        Reason.VANISHED: lambda: not told or not {*notice.incident.checks} <= {*known.checks},
        Reason.REMINDER: lambda: told and not known.acknowledged,
        Reason.CHANGED: lambda: told,
        Reason.WORSE: lambda: (
            Severity.WARNING in before and notice.incident.severity is Severity.CRITICAL
        ),
        Reason.ESCALATED: lambda: (
            told and not known.acknowledged and not {*notice.to} & {*known.told_to}
        ),
        **dict.fromkeys({*ONCE, Reason.RECOVERED}, lambda: True),
    }
    return bool(news.get(notice.reason, lambda: not (told and same))())


@HISTORIES
@given(lives)
def test_reminders_keep_their_distance(life: Life) -> None:
    for moment in life.moments():
        interval = moment.policy.reminder_interval
        shortest = interval - min(moment.policy.interval, interval) / 2
        for key in keys(moment, Reason.REMINDER):
            last = moment.before.incidents[key].told_at

            assert last
            assert max(moment.now - last, timedelta()) >= shortest


@HISTORIES
@given(lives)
def test_whoever_was_told_hears_of_the_recovery_exactly_once(life: Life) -> None:
    belief = Belief()
    for moment in life.moments(recovery=True, routing=life.policies[0].routing):
        recovered = [each for each in moment.decision.notices if each.reason is Reason.RECOVERED]
        for notice in recovered:
            assert {(name, notice.incident.key) for name in notice.to} <= belief.broken
        belief.hear(moment)
        after = moment.decision.state
        for name, key in belief.broken:
            assert key in after.incidents or name in after.owed[key].told_to


@HISTORIES
@given(lives)
def test_a_recovery_is_only_owed_in_quiet_hours_and_while_it_is_not_over(life: Life) -> None:
    for moment in life.moments(quiet_hours=LOUD):
        after = moment.decision.state

        assert after.owed.keys() <= after.incidents.keys() | after.flapping.keys()


@HISTORIES
@given(lives)
def test_no_incident_stays_open_for_a_passing_check(life: Life) -> None:
    passes = dict.fromkeys(CHECKS, 0)
    for moment in life.moments():
        for check in CHECKS:
            word = moment.of(check)
            judged = word in {"pass", "issue", *FAILING}
            passes[check] = passes[check] + 1 if word == "pass" else passes[check] * (not judged)

            if word == "pass" and passes[check] >= moment.policy.recover_after:
                assert check not in moment.decision.state.incidents


@HISTORIES
@given(lives)
def test_nothing_is_told_of_a_silenced_check_but_that_it_is_well_again(life: Life) -> None:
    belief = Belief()
    for moment in life.moments():
        for notice in moment.decision.notices:
            if hushed(moment, notice.incident):
                assert notice.reason is Reason.RECOVERED
        belief.hear(moment)


@HISTORIES
@given(lives)
def test_partial_runs_close_nothing_of_checks_that_they_did_not_run(life: Life) -> None:
    for moment in life.moments():
        ran = {each.id for each in moment.decision.report.results}
        closed = moment.before.incidents.keys() - moment.decision.state.incidents.keys()

        if moment.step.partial:
            assert {key for key in closed if key in CHECKS} <= ran
            assert not moment.decision.vanished
            assert not any(key.startswith("run:") for key in closed)


@HISTORIES
@given(lives)
def test_the_exit_facts_say_what_the_run_found(life: Life) -> None:
    for moment in life.moments(maintenance=()):
        words = {*moment.step.outcomes} - {"pass", "issue", "-"}
        excused = any(
            each.quiet or each.acknowledged for each in moment.decision.state.incidents.values()
        )
        assert not moment.decision.failing or words
        assert moment.decision.failing or not words or excused or moment.before.silences
        missed = "run:vanished" in moment.decision.state.incidents and not moment.step.partial
        assert moment.decision.broken == (moment.step.broken or missed)


@HISTORIES
@given(lives)
def test_critical_never_waits_for_the_morning(life: Life) -> None:
    always = (parse_window("00:00-24:00"),)
    for moment in life.moments(quiet_hours=always, maintenance=()):
        for check in CHECKS:
            incident = moment.decision.state.incidents.get(check)
            if incident and moment.of(check) == "fail":
                excused = hushed(moment, incident) or incident.cause or incident.told_at
                pending = incident.runs < moment.policy.failure_threshold

                assert excused or pending or check in moment.decision.state.flapping


@HISTORIES
@given(lives)
def test_times_in_the_state_never_lie_ahead(life: Life) -> None:
    for moment in life.moments():
        after = moment.decision.state
        incidents = [*after.incidents.values(), *after.owed.values()]
        times = [time for each in incidents for time in (each.since, each.told_at, each.first_told)]
        times += [each.since for each in after.flapping.values()]

        assert all(time <= moment.now for time in times if time)


@HISTORIES
@given(lives)
def test_open_incidents_have_names_of_their_own_that_stay(life: Life) -> None:
    for moment in life.moments():
        before, after = moment.before.incidents, moment.decision.state.incidents
        names = [each.id for each in after.values()]

        assert len(set(names)) == len(names)
        same = {key for key in before if key in after and after[key].since == before[key].since}
        # when others vanish after these were let go, that is another incident
        assert all(after[key].id == before[key].id for key in same - {"run:vanished"})

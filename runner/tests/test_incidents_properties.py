"""What holds for every history of runs, however unlikely."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from suites import NIGHT, PATIENTLY, POLICY, blocked, failed, minutes, passed, run, skipped, warned

from yakei.incidents import Decision, decide
from yakei.incidents.policy import Policy
from yakei.incidents.remembered import Reason, State
from yakei.incidents.windows import parse_window
from yakei.results import Outcome, Problem, ProblemKind, RunReport, Severity

CHECKS = ("m.py::test_a", "m.py::test_b", "m.py::test_c")
KINDS = {"pass": passed, "fail": failed, "warn": warned, "skip": skipped, "blocked": blocked}
FAILING = {"fail", "warn"}


@dataclass(frozen=True)
class Story:
    """One run of a history: what each check did, and what was odd about the run."""

    outcomes: tuple[str, ...]
    """By check; `-` for one that did not run."""
    gap: float
    """Minutes since the last run; negative when the clock was set back."""
    partial: bool
    broken: bool

    def report(self) -> RunReport:
        """Return what the runner would hand to the decision."""
        pairs = zip(CHECKS, self.outcomes, strict=True)
        results = [KINDS[word](check) for check, word in pairs if word != "-"]
        problems = (Problem(kind=ProblemKind.CRASH, text="died"),) if self.broken else ()
        return replace(run(*results, partial=self.partial), problems=problems)


stories = st.lists(
    st.builds(
        Story,
        outcomes=st.tuples(*[st.sampled_from([*KINDS, "-"])] * len(CHECKS)),
        gap=st.one_of(st.just(5.0), st.floats(-3000, 3000)),
        partial=st.booleans(),
        broken=st.booleans(),
    ),
    max_size=25,
)
policies = st.builds(
    Policy,
    failure_threshold=st.integers(1, 4),
    reminder_interval=st.sampled_from([timedelta(), minutes(5), minutes(60)]),
    recovery=st.booleans(),
    zone=st.just(POLICY.zone),
)


def told(history: list[Story], policy: Policy) -> list[tuple[Story, State, Decision]]:
    """Return each run with the state before it and the decision about it."""
    state, now, decisions = State(), NIGHT, []
    for story in history:
        now += minutes(story.gap)
        decision = decide(state, story.report(), policy, now)
        decisions.append((story, state, decision))
        state = decision.state
    return decisions


def keys(decision: Decision, *reasons: Reason) -> set[str]:
    return {each.incident.key for each in decision.notices if each.reason in reasons}


@PATIENTLY
@given(stories, policies)
def test_every_problem_that_outlives_its_threshold_is_told(
    history: list[Story], policy: Policy
) -> None:
    streaks = dict.fromkeys(CHECKS, 0)
    heard: set[str] = set()
    for story, _, decision in told(history, policy):
        heard |= keys(decision, Reason.NEW)
        for check, outcome in zip(CHECKS, story.outcomes, strict=True):
            if outcome == "pass" or check in decision.vanished:
                streaks[check] = 0
                heard.discard(check)
            streaks[check] += outcome in FAILING

            assert streaks[check] < policy.failure_threshold or check in heard


@PATIENTLY
@given(stories, policies)
def test_nobody_is_told_twice_without_a_reason(history: list[Story], policy: Policy) -> None:
    for _, before, decision in told(history, policy):
        for notice in decision.notices:
            known = before.incidents.get(notice.incident.key)
            again = known is not None and known.told_at is not None

            assert again == (
                notice.reason in {Reason.REMINDER, Reason.WORSE, Reason.CHANGED, Reason.RECOVERED}
            ) or notice.reason in {Reason.VANISHED, Reason.MISSED_RUNS, Reason.SKIPPED}


@PATIENTLY
@given(stories, policies)
def test_reminders_keep_their_distance(history: list[Story], policy: Policy) -> None:
    shortest = policy.reminder_interval - min(policy.interval, policy.reminder_interval) / 2
    for _, before, decision in told(history, policy):
        for key in keys(decision, Reason.REMINDER):
            last, now = before.incidents[key].told_at, decision.state.incidents[key].told_at

            assert last
            assert now
            assert max(now - last, timedelta()) >= shortest


@PATIENTLY
@given(stories, policies)
def test_no_incident_stays_open_for_a_passing_check(history: list[Story], policy: Policy) -> None:
    for story, _, decision in told(history, policy):
        well = {
            check
            for check, outcome in zip(CHECKS, story.outcomes, strict=True)
            if outcome == "pass"
        }

        assert not well & decision.state.incidents.keys()


@PATIENTLY
@given(stories, policies)
def test_partial_runs_close_nothing_of_checks_that_they_did_not_run(
    history: list[Story], policy: Policy
) -> None:
    for story, before, decision in told(history, policy):
        ran = {each.id for each in decision.report.results}
        closed = before.incidents.keys() - decision.state.incidents.keys()

        if story.partial:
            assert {key for key in closed if key in CHECKS} <= ran
            assert not decision.vanished
            assert not any(key.startswith("run:") for key in closed)


@PATIENTLY
@given(stories, policies)
def test_the_exit_facts_say_what_the_run_found(history: list[Story], policy: Policy) -> None:
    for _, _, decision in told(history, policy):
        outcomes = {each.outcome for each in decision.report.results}

        assert decision.failing == bool(outcomes - {Outcome.PASSED})
        assert decision.broken == (bool(decision.report.problems) or bool(decision.vanished))


@PATIENTLY
@given(stories)
def test_critical_never_waits_for_the_morning(history: list[Story]) -> None:
    quiet = replace(POLICY, quiet_hours=(parse_window("00:00-23:59"),))
    for (_, _, loud), (_, _, hushed) in zip(
        told(history, POLICY), told(history, quiet), strict=True
    ):
        critical = {
            each.incident.key
            for each in loud.notices
            if each.reason is Reason.NEW and each.incident.severity is Severity.CRITICAL
        }

        assert critical <= keys(hushed, Reason.NEW, Reason.WORSE)


@PATIENTLY
@given(stories, policies)
def test_times_in_the_state_never_lie_ahead(history: list[Story], policy: Policy) -> None:
    now = NIGHT
    for story, before, decision in told(history, policy):
        now += minutes(story.gap)
        times = [each.told_at or each.since for each in decision.state.incidents.values()]

        assert all(each <= now for each in times)
        assert before is not decision.state

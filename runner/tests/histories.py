"""Random lives of a suite: what its checks do, what the clock does, and what people do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from suites import ISSUE, blocked, failed, minutes, passed, run, silence, skipped, warned

from yakei.incidents import Decision, decide
from yakei.incidents.policy import Maintenance, Policy
from yakei.incidents.remembered import Acknowledgement, State
from yakei.incidents.windows import parse_window
from yakei.results import CheckResult, Problem, ProblemKind, RunReport
from yakei.routes import Route, Routing

HISTORIES = settings(
    deadline=None,  # a busy machine is no failure
    max_examples=int(os.environ.get("YAKEI_HISTORIES", "100")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""For tens of thousands of them: `YAKEI_HISTORIES=20000 pytest runner/tests -k properties`."""
BERLIN = ZoneInfo("Europe/Berlin")
STARTS = tuple(
    datetime(2026, month, day, 20, tzinfo=UTC) for month, day in ((1, 17), (3, 28), (10, 24))
)
"""A usual evening, and those before clocks jump and are set back in Berlin."""
PING, HTTP, SHOP = CHECKS = ("m.py::test_ping", "m.py::test_http", "m.py::test_shop")
NEEDS = {HTTP: (PING,), SHOP: (HTTP, "database main")}
OWNERS = {PING: "net", HTTP: "web"}
KINDS = {
    "pass": passed,
    "fail": failed,
    "warn": warned,
    "skip": skipped,
    "blocked": blocked,
    "issue": lambda check, **more: failed(check, known_issue=ISSUE, **more),
}
FAILING = {"fail", "warn"}
CHANNELS = ("email", "slack", "pager")
ROUTES = (
    Route(notify=("slack",), owner="net"),
    Route(notify=("email",), default=True),
    Route(notify=("pager",), after=minutes(30), severity="critical"),
)


@dataclass(frozen=True)
class Step:
    """One run: what each check did, what was odd about it, and what people did before it."""

    outcomes: tuple[str, ...]
    """By check; `-` for one that did not run."""
    gap: float = 5.0
    """Minutes since the last run; negative when the clock was set back."""
    partial: bool = False
    broken: bool = False
    quiet: str = ""
    """A pattern that is silenced from here on, for an hour; `-` ends all silences."""
    acknowledged: str = ""
    """The key of what somebody acknowledges."""
    changed: bool = False
    """Whether the configuration changes to the other policy."""

    def report(self) -> RunReport:
        """Return what the runner would hand to the decision."""
        pairs = zip(CHECKS, self.outcomes, strict=True)
        results = [self._result(check, word) for check, word in pairs if word != "-"]
        problems = (Problem(kind=ProblemKind.CRASH, text="died"),) if self.broken else ()
        return replace(run(*results, partial=self.partial), problems=problems)

    def _result(self, check: str, word: str) -> CheckResult:
        more = {"depends_on": NEEDS.get(check, ()), "owner": OWNERS.get(check)}
        return replace(KINDS[word](check), claim="All is well.", **more)


@dataclass(frozen=True)
class Moment:
    """A run that was decided, with all that it was decided from."""

    step: Step
    before: State
    policy: Policy
    now: datetime
    decision: Decision

    def of(self, check: str) -> str:
        """Return what a check did in this run."""
        return dict(zip(CHECKS, self.step.outcomes, strict=True))[check]


@dataclass(frozen=True)
class Life:
    """A whole history, under two policies that the configuration may be changed between."""

    steps: tuple[Step, ...]
    policies: tuple[Policy, Policy]
    start: datetime

    def moments(self, **forced: object) -> Iterator[Moment]:
        """Yield each run in turn; what is `forced` replaces it in both policies."""
        state, now, chosen = State(), self.start, 0
        for step in self.steps:
            now += minutes(step.gap)
            chosen ^= step.changed
            policy = replace(self.policies[chosen], **forced)
            state = _as_people_make_it(state, step, now)
            decision = decide(state, step.report(), policy, now)
            yield Moment(step, state, policy, now, decision)
            state = decision.state


@dataclass
class Belief:
    """What each notifier believes to be broken, by what it was told."""

    broken: set[tuple[str, str]] = field(default_factory=set)
    """Pairs of notifier and key."""

    def hear(self, moment: Moment) -> None:
        """Take in what this run told."""
        for notice in moment.decision.notices:
            for name in notice.to:
                if notice.reason == "recovered":
                    self.broken.discard((name, notice.incident.key))
                elif notice.incident.key in moment.decision.state.incidents | notice_owed(moment):
                    self.broken.add((name, notice.incident.key))
        gone = {each.key for each in moment.decision.removed} | {*moment.decision.vanished}
        self.broken = {each for each in self.broken if each[1] not in gone}


def notice_owed(moment: Moment) -> dict[str, object]:
    return dict(moment.decision.state.owed)


def _as_people_make_it(state: State, step: Step, now: datetime) -> State:
    silences = () if step.quiet == "-" else state.silences
    if step.quiet not in {"", "-"}:
        silences = (*silences, silence(step.quiet, until=now + timedelta(hours=1)))
    known = state.incidents.get(step.acknowledged)
    people = state.acknowledgements
    if known:
        said = Acknowledgement(incident=known.id, reason="on it", by="ops", at=now)
        people = (*people, said)
    return replace(state, silences=silences, acknowledgements=people)


_words = st.sampled_from(["pass", "pass", "fail", "fail", "warn", "skip", "blocked", "issue", "-"])
_gaps = st.one_of(
    st.just(5.0), st.just(5.0), st.sampled_from([60.0, 240.0]), st.floats(-3000, 3000)
)
_rarely = st.integers(0, 9).map(lambda number: number == 9)
steps = st.builds(
    Step,
    outcomes=st.tuples(*[_words] * len(CHECKS)),
    gap=_gaps,
    partial=_rarely,
    broken=_rarely,
    quiet=st.sampled_from([*[""] * 8, "*", PING, "database main", "-"]),
    acknowledged=st.sampled_from([*[""] * 8, *CHECKS, "resource:database main", "run:vanished"]),
    changed=_rarely,
)
policies = st.builds(
    Policy,
    failure_threshold=st.integers(1, 3),
    failure_window=st.sampled_from([None, None, 3, 5]),
    recover_after=st.sampled_from([1, 1, 2]),
    reminder_interval=st.sampled_from([timedelta(), minutes(5), minutes(60)]),
    recovery=st.booleans(),
    quiet_hours=st.sampled_from([(), (parse_window("23:00-07:00"),)]),
    maintenance=st.sampled_from(
        [(), (Maintenance(windows=(parse_window("sun 01:00-03:30"),), reason="vacuum"),)]
    ),
    routing=st.sampled_from([Routing(), Routing(routes=ROUTES, notifiers=CHANNELS)]),
    zone=st.just(BERLIN),
)
lives = st.builds(
    Life,
    steps=st.lists(steps, max_size=30).map(tuple),
    policies=st.tuples(policies, policies),
    start=st.sampled_from(STARTS),
)

"""Composes the messages that the tests of the runner's core read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from suites import (
    NIGHT,
    POLICY,
    TOKYO,
    after,
    minutes,
    passed,
)

from yakei.incidents import Decision
from yakei.incidents.policy import Policy
from yakei.message import Message, RunFacts, compose
from yakei.results import RunReport

FACTS = RunFacts(
    host="app01",
    run_id="20260118-0300-4711",
    duration=0.5,
    log="/var/log/monitor/run.log",
    zone=TOKYO,
)
UNSENDABLE = {"Cc", "Cs", "Zl", "Zp"}
"""Control characters, halves of characters, and what breaks lines."""
DETAILS = "oldest 6 min 40 s\nDo        1. are the consumers alive?\n          2. restart one"
OTHERS = tuple(passed(f"m.py::test_{name}") for name in "abc")


def message(decision: Decision, number: int = 0, **more: Any) -> Message:
    """Return the message of a decision that has something to tell."""
    facts = replace(FACTS, **{"still_failing": decision.still_failing, **more})
    composed = compose(decision.notices, decision.report, facts, NIGHT + minutes(5 * number))
    assert composed
    return composed


def told(*reports: RunReport, policy: Policy = POLICY, every: float = 5, **more: Any) -> Message:
    """Return what the last of these runs tells."""
    decision = after(*reports, policy=policy, every=every)[-1]
    return message(decision, int((len(reports) - 1) * every / 5), **more)


def lines(text: Message) -> list[str]:
    return text.body.splitlines()

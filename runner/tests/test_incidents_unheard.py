"""A run of which nobody was to hear takes no message from those it is for."""

from __future__ import annotations

import pytest
from histories import HISTORIES, Life, lives
from hypothesis import given
from suites import BACKUP, NIGHT, NOISY, POLICY, TELLING, after, minutes, passed, reasons, run, runs

from yakei.incidents import decide
from yakei.incidents.policy import Policy
from yakei.incidents.remembered import State
from yakei.incidents.unheard import unheard
from yakei.results import RunReport

THIRD = "monitors/test_web.py::test_answers"
WHOLE = run(passed(), passed(BACKUP), passed(THIRD))


@pytest.mark.parametrize(
    ("policy", "reports"),
    [
        pytest.param(POLICY, runs("F"), id="what is new"),
        pytest.param(NOISY, runs("FF"), id="a reminder"),
        pytest.param(POLICY, runs("WF"), id="worse"),
        pytest.param(TELLING, runs("FP"), id="a recovery"),
        pytest.param(POLICY, runs("FPFPFPF"), id="flapping"),
        pytest.param(POLICY, [WHOLE, run(passed(), passed(BACKUP))], id="vanished"),
        pytest.param(
            POLICY, [WHOLE, run(passed(), passed(BACKUP)), run(passed())], id="more vanished"
        ),
    ],
)
def test_the_next_run_tells_what_this_one_was_not_to(
    policy: Policy, reports: list[RunReport]
) -> None:
    *_, last = decisions = after(*reports, policy=policy)
    before = decisions[-2].state if len(decisions) > 1 else State()

    taken_back = unheard(before, last).state
    again = decide(taken_back, reports[-1], policy, NIGHT + minutes(5 * len(reports)))
    assert reasons([again]) == reasons([last])


@HISTORIES
@given(lives)
def test_nothing_is_remembered_as_told_that_was_not(life: Life) -> None:
    for moment in life.moments():
        after_it = unheard(moment.before, moment.decision).state
        for key, incident in after_it.incidents.items():
            known = moment.before.incidents.get(key)

            assert set(incident.told_to) <= set(known.told_to if known else ())
        owed = {each.incident.key for each in moment.decision.notices if each.reason == "recovered"}
        assert owed <= after_it.owed.keys()

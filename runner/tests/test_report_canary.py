"""What is made of a canary that did not fail as it should."""

from __future__ import annotations

from typing import Any

import pytest
from report_entries import entry, finished, started
from suites import BACKUP, QUEUE

from yakei.report import PartReport, combine, read_attempt
from yakei.report.canary import distrusted, unheard, without_false_comfort
from yakei.results import Outcome, ProblemKind, RunReport
from yakei_shared.canary import CANARY, SONG

SINGING = entry(CANARY, fact=SONG)


def judged(*parts: PartReport) -> RunReport:
    return without_false_comfort(distrusted(combine(parts), parts))


def part(*tests: dict[str, Any], ended: bool = True) -> PartReport:
    events = [{"event": "end"}] if ended else []
    return read_attempt({"tests": list(tests)} if ended else None, [*events, *map(_line, tests)])


def _line(test: dict[str, Any]) -> dict[str, Any]:
    return {"event": "canary" if test["nodeid"] == CANARY else "finished", "test": test}


@pytest.mark.parametrize(
    ("canary", "what"),
    [
        pytest.param(SINGING, "", id="it is seen to fail"),
        pytest.param(entry(CANARY, fact=f"{SONG[:3]} [redacted]"), "", id="a secret is in it"),
        pytest.param(None, "it did not run", id="there is none"),
        pytest.param(entry(CANARY, "passed"), "it is reported as passed", id="passed"),
        pytest.param(entry(CANARY, "skipped"), "it is reported as skipped", id="skipped"),
        pytest.param(
            entry(CANARY, fact="oops"), 'it is reported to have failed with "oops"', id="a text"
        ),
        pytest.param(
            {**SINGING, "call": {"outcome": "passed"}}, "pytest reports it as passed", id="after us"
        ),
        pytest.param(
            {"nodeid": CANARY, "metadata": 7}, "it is reported as error", id="a torn entry"
        ),
    ],
)
def test_only_a_canary_that_fails_with_its_song_is_heard(
    canary: dict[str, Any] | None, what: str
) -> None:
    assert unheard(canary) == what


def test_it_is_no_result_and_not_collected() -> None:
    report = judged(part(SINGING, entry(QUEUE, "passed")))

    assert [each.id for each in report.results] == list(report.collected) == [QUEUE]
    assert (report.results[0].outcome, report.problems) == (Outcome.PASSED, ())


def test_what_passed_beside_a_dead_canary_is_not_judged() -> None:
    report = judged(part(entry(CANARY, "passed"), entry(QUEUE, "passed"), entry(BACKUP)))

    assert [each.outcome for each in report.results] == [Outcome.NOT_JUDGED, Outcome.FAILED]
    assert [each.kind for each in report.problems] == [ProblemKind.CANARY]


def test_it_is_told_once_of_several_processes() -> None:
    dead = part(entry(CANARY, "passed"), entry(QUEUE))

    assert len(judged(dead, dead).problems) == 1


def test_each_process_owes_its_own() -> None:
    parts = (part(SINGING, entry(QUEUE)), part(entry(BACKUP)))

    (problem,) = judged(*parts).problems

    assert problem.text.startswith("the canary was not seen to fail: it did not run; ")


@pytest.mark.parametrize(
    "without",
    [
        pytest.param(part(entry(QUEUE, "skipped")), id="everything skipped"),
        pytest.param(part(), id="nothing collected"),
        pytest.param(part(entry(QUEUE), ended=False), id="pytest died"),
    ],
)
def test_a_process_that_judged_nothing_or_died_owes_none(without: PartReport) -> None:
    kinds = {each.kind for each in judged(without).problems}

    assert ProblemKind.CANARY not in kinds


def test_a_journal_alone_will_do() -> None:
    """Pytest was killed before it wrote its report."""
    lines = [{"event": "canary", "test": SINGING}, started(QUEUE), finished(QUEUE)]

    assert not read_attempt(None, lines).unheard

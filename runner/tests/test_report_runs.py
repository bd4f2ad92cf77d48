"""What a run is taken to have found, from whole reports, torn journals and second looks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from report_entries import COLLECTED, entry, finished, started
from suites import BACKUP, QUEUE, blocked, failed, passed, run, skipped, trouble

from yakei.report import BELATED, BLIP, combine, confirmed, read_attempt, to_confirm
from yakei.results import CheckResult, Outcome, ProblemKind

# Processes that died


def test_without_a_report_the_journal_tells_what_was_done() -> None:
    events = [COLLECTED, started(QUEUE), finished(QUEUE)]

    part = read_attempt(None, events)

    assert [each.outcome for each in part.results] == [Outcome.PASSED]
    assert part.unfinished == ()
    assert part.not_due == ("m.py::test_daily",)
    assert not part.ended


def test_the_check_that_ran_at_the_crash_is_the_one_that_never_finished() -> None:
    part = read_attempt(None, [COLLECTED, started(QUEUE), finished(QUEUE), started(BACKUP)])

    assert part.unfinished == (BACKUP,)


def test_a_whole_report_counts_more_than_the_journal() -> None:
    part = read_attempt({"tests": [entry(outcome="failed")]}, [COLLECTED, finished(QUEUE)])

    assert [each.outcome for each in part.results] == [Outcome.FAILED]


def test_a_crash_is_named_with_the_check_that_ran() -> None:
    report = combine([read_attempt(None, [COLLECTED, started(QUEUE)])])

    assert [each.outcome for each in report.results] == [Outcome.CRASHED, Outcome.NOT_JUDGED]
    (problem,) = report.problems
    assert problem.text == f"pytest ended without a report while {QUEUE} ran"


def test_a_second_process_runs_what_had_no_turn() -> None:
    first = read_attempt(None, [COLLECTED, started(QUEUE)])
    second = read_attempt({"tests": [entry(BACKUP, "passed")]}, [COLLECTED, {"event": "end"}])

    crash = CheckResult(id=QUEUE, outcome=Outcome.CRASHED, fact="died by SIGSEGV")
    report = combine([first, second], overrides=[crash])

    assert [each.outcome for each in report.results] == [Outcome.CRASHED, Outcome.PASSED]
    assert report.collected == (QUEUE, BACKUP, "m.py::test_daily")
    assert report.problems == ()


def test_what_pytest_reported_stands_against_a_guess_from_outside() -> None:
    part = read_attempt(None, [COLLECTED, finished(QUEUE), finished(BACKUP), {"event": "end"}])
    guess = CheckResult(id=QUEUE, outcome=Outcome.NOT_JUDGED, fact="no turn")

    assert combine([part], overrides=[guess]).results[0].outcome is Outcome.PASSED


def test_the_same_broken_file_in_two_processes_is_one_problem() -> None:
    event = {"event": "problem", "kind": "collection", "where": "a.py", "text": "E  SyntaxError"}
    parts = [read_attempt({"tests": [entry()]}, [event])] * 2

    assert len(combine(parts).problems) == 1


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("configuration", ProblemKind.CONFIGURATION),
        ("collection", ProblemKind.COLLECTION),
        ("population", ProblemKind.COLLECTION),
    ],
)
def test_the_journal_tells_what_kept_checks_from_being_collected(
    kind: str, expected: ProblemKind
) -> None:
    event = {"event": "problem", "kind": kind, "where": "", "text": "queues: 0 configured"}

    (problem,) = read_attempt(None, [event]).problems

    assert problem.kind is expected
    assert "queues: 0 configured" in problem.text


# Runs with nothing to say


def test_no_check_at_all_is_a_problem() -> None:
    (problem,) = combine([read_attempt({"tests": []}, [])]).problems

    assert problem.kind is ProblemKind.NOTHING_COLLECTED


def test_no_check_because_the_configuration_is_wrong_is_one_problem() -> None:
    problem = trouble(ProblemKind.CONFIGURATION)

    assert combine([read_attempt(None, [])], problems=[problem]).problems == (problem,)


def test_everything_skipped_is_a_problem_with_the_reasons() -> None:
    events = [finished(QUEUE, "skipped"), {"event": "end"}]

    (problem,) = combine([read_attempt(None, events)]).problems

    assert problem.kind is ProblemKind.EVERYTHING_SKIPPED
    assert QUEUE in problem.text


def test_nothing_due_is_no_problem() -> None:
    part = read_attempt({"tests": []}, [{**COLLECTED, "checks": []}])

    assert combine([part]).problems == ()


def test_a_part_of_the_suite_is_partial() -> None:
    assert combine([read_attempt({"tests": [entry()]}, [])], partial=True).partial


# Running once more


def test_what_did_not_pass_is_run_once_more() -> None:
    waiting = CheckResult(id="m.py::test_w", outcome=Outcome.NOT_JUDGED)
    report = run(
        failed(), blocked(BACKUP), passed("m.py::test_p"), skipped("m.py::test_s"), waiting
    )

    assert to_confirm(report) == (QUEUE, BACKUP, "m.py::test_w")


def test_what_had_no_turn_and_passes_later_is_belated() -> None:
    waiting = CheckResult(id=QUEUE, outcome=Outcome.NOT_JUDGED, fact="no turn")

    (result,) = confirmed(run(waiting), run(passed())).results

    assert result.notes[0] == BELATED


def test_what_passes_when_run_again_is_a_blip() -> None:
    (result,) = confirmed(run(failed()), run(passed())).results

    assert result.outcome is Outcome.PASSED
    assert result.notes == (BLIP, "it was: 1396 waiting (limit 1000)")


def test_what_fails_again_is_told_with_its_second_value() -> None:
    report = confirmed(run(failed(), passed(BACKUP)), run(failed(fact="1402 waiting")))

    assert [each.fact for each in report.results] == ["1402 waiting", ""]


@pytest.mark.parametrize("outcome", [Outcome.NOT_JUDGED, Outcome.SKIPPED])
def test_a_second_run_that_judged_nothing_changes_nothing(outcome: Outcome) -> None:
    first, second = run(failed()), run(replace(passed(), outcome=outcome))

    assert confirmed(first, second) == first


def test_a_confirmation_that_the_deadline_cut_short_changes_nothing() -> None:
    timeout = replace(failed(), outcome=Outcome.TIMEOUT)
    second = run(timeout, problems=(trouble(ProblemKind.DEADLINE),))

    assert confirmed(run(failed()), second) == run(failed())


def test_a_crash_of_the_confirmation_is_a_problem_of_the_run() -> None:
    second = run(failed(), problems=(trouble(ProblemKind.CRASH),))

    assert confirmed(run(failed()), second).problems == second.problems

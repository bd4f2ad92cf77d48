"""What people read: who, what, how much, since when, and what to do."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest
from messages import DETAILS, FACTS, OTHERS, lines, told
from suites import (
    BACKUP,
    NIGHT,
    POLICY,
    QUEUE,
    depth,
    failed,
    minutes,
    passed,
    run,
)

from yakei.message import compose
from yakei.results import Outcome


def test_nothing_to_tell_is_no_message() -> None:
    assert compose((), run(passed()), FACTS, NIGHT) is None


# The first screen


def test_the_first_line_says_what_how_much_and_since_when() -> None:
    fact = "waiting: 1396 rows (limit: below 1000)"

    expected = f"queue analyze_page: {fact}. First seen 03:00 +0900 (this run)."
    assert lines(told(run(depth(1396))))[0] == expected


def test_a_reminder_says_for_how_long_how_often_and_how_bad_it_was() -> None:
    values = [1396, 1402, *[1391] * 11]
    first = lines(told(*(run(depth(value)) for value in values)))[0]

    assert "Failing for 60 min, 13 runs, since 03:00 +0900, worst 1402 at 03:05." in first


def test_it_is_said_in_how_many_of_its_window_a_check_failed() -> None:
    sometimes = replace(POLICY, failure_threshold=3, failure_window=5)
    bad, well = run(failed()), run(passed())
    in_turn = lines(told(bad, well, bad, well, bad, policy=sometimes))[0]
    in_a_row = lines(told(bad, bad, bad, policy=sometimes))[0]

    assert "It failed in 3 of the last 5 runs, now since 03:20 +0900." in in_turn
    assert "Failing for 10 min, 3 runs, since 03:00 +0900." in in_a_row


def test_runs_that_passed_and_did_not_end_it_are_no_failing_ones() -> None:
    sure = replace(POLICY, recover_after=3, reminder_interval=minutes(15))
    bad, well = run(failed()), run(passed())
    reminder = lines(told(bad, well, bad, bad, policy=sure))[0]

    assert "Failing for 15 min, 3 of the last 4 runs, since 03:00 +0900." in reminder


def test_what_changed_is_told_with_times() -> None:
    text = told(*(run(depth(value)) for value in (900, 980, 995, 1396)))

    assert "Changed   waiting: 1396 rows now, was 995 at 03:10 (last good)" in lines(text)


def test_a_durations_change_is_told_as_durations() -> None:
    lag = replace(depth(1400), measures=(replace(depth(1400).measures[0], unit="s"),))
    fine = replace(depth(95), measures=(replace(depth(95).measures[0], unit="s"),))

    text = told(run(fine), run(lag))
    assert "Changed   waiting: 23 min now, was 1 min at 03:00 (last good)" in lines(text)


def test_all_that_an_operator_needs_is_within_twenty_lines() -> None:
    details = "\n".join([f"member {number} is late" for number in range(30)] + [DETAILS])
    known = failed(details=details, owner="search", runbook="https://wiki.example.com/lag")
    screen = "\n".join(lines(told(run(known)))[:20])

    for words in ("The queue is short.", "Owner     search", "https://wiki", "Do        1.", "2. "):
        assert words in screen


def test_the_command_to_reproduce_survives_a_shell() -> None:
    (line,) = [each for each in lines(told(run(failed()))) if each.startswith("Reproduce")]

    assert shlex.split(line) == ["Reproduce", "pytest", QUEUE]


def test_where_the_configuration_was_named_the_commands_name_it_too() -> None:
    """As in a crontab with `-c`: they work from wherever one is."""
    text = lines(told(run(failed()), config="/srv/my shop/night.toml"))
    (shown,) = [each for each in text if each.startswith("Reproduce")]
    (known,) = [each for each in text if each.startswith("Known?")]

    assert shlex.split(shown)[3:] == ["--yakei-config", "/srv/my shop/night.toml"]
    assert shlex.split(known)[1:3] == ["yakei", "ack"]
    assert shlex.split(known)[4:7] == ["-c", "/srv/my shop/night.toml", "--reason"]


def test_the_run_is_told_in_one_line() -> None:
    last = lines(told(run(failed(), *OTHERS)))[-1]

    log = "Full log: /var/log/monitor/run.log (run 20260118-0300-4711)"
    assert last == f"4 checks: 1 failed, 3 passed in 0.5 s. {log}"


def test_a_relapse_says_when_it_last_failed() -> None:
    text = told(run(failed()), run(passed()), run(failed()))

    assert "Last failed 2026-01-18 03:00." in lines(text)[0]


def test_new_ones_are_marked_and_the_others_have_a_line_each() -> None:
    reports = [run(depth(1391), passed(BACKUP))] * 12
    text = told(*reports, run(depth(1391), failed(BACKUP, fact="27 h old")), every=3.75)

    assert lines(text)[0].startswith("NEW     queue analyze_page: 27 h old")
    assert lines(text)[1].startswith("45 min  queue analyze_page: waiting: 1391 rows")


def test_one_screen_is_enough_for_a_hundred_failures() -> None:
    text = told(run(*(failed(f"m.py::test_{n}", details=DETAILS) for n in range(100))))

    screen = text.body.partition("100 checks: 100 failed")[0]
    assert len(screen.splitlines()) <= 45


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome.ERROR, "cannot tell: connection refused"),
        (Outcome.TIMEOUT, "timed out: connection refused"),
        (Outcome.CRASHED, "crashed: connection refused"),
        (Outcome.NOT_JUDGED, "not judged: connection refused"),
    ],
)
def test_what_was_not_found_out_is_said_as_such(outcome: Outcome, words: str) -> None:
    text = told(run(replace(failed(fact="connection refused"), outcome=outcome)))

    assert words in text.subject
    assert words in lines(text)[0]


def test_a_timeout_is_not_said_twice() -> None:
    result = replace(failed(fact="timed out after 2 s"), outcome=Outcome.TIMEOUT)

    assert told(run(result)).subject.endswith("analyze_page: timed out after 2 s")

"""What is said for each reason, and what becomes of text from outside."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from messages import OTHERS, UNSENDABLE, lines, message, told
from suites import (
    BACKUP,
    NIGHT,
    PATIENTLY,
    POLICY,
    QUEUE,
    after,
    blocked,
    depth,
    failed,
    minutes,
    passed,
    run,
    skipped,
    trouble,
    warned,
)

from yakei.incidents import busy
from yakei.incidents.remembered import State
from yakei.results import KnownIssue, ProblemKind
from yakei.routes import Route, Routing

# Other reasons


def test_one_cause_names_the_checks_that_it_blocks() -> None:
    text = told(run(blocked(), blocked(BACKUP), *OTHERS))

    assert "database main: connection refused at db01:5432; 2 checks" in text.subject
    backup = "every member is fresh of export"
    assert f"No turn   depth of analyze_page, {backup}" in lines(text)


def test_a_monitoring_that_does_not_run_says_what_was_known_last() -> None:
    problem = trouble(ProblemKind.CONFIGURATION, 'yakei.toml: queue.limit = "abc"')
    before = after(run(failed(), *OTHERS), run(problems=(problem,)))

    text = message(before[1], 1, last_complete=before[0].state.last_complete, still_failing=())

    start = "[CRIT] app01 monitor: NOT RUNNING - 0 checks executed (configuration)"
    assert text.subject.startswith(start)
    assert "Last complete run 03:00 +0900 (4 checks: 1 failed, 3 passed)." in text.body


def test_the_traceback_of_a_broken_file_is_below_the_first_screen() -> None:
    words = "a.py is not checked: SyntaxError\nTraceback (most recent call last):\n  line 3"
    text = told(run(passed(), problems=(trouble(ProblemKind.COLLECTION, words),)))

    assert "a.py is not checked: SyntaxError" in lines(text)[0]
    assert text.body.index("Full log") < text.body.index("Traceback")


def test_an_overlap_tells_who_holds_the_lock_and_what_to_do() -> None:
    words = "held by pid 4711 for 11 min\nNow       test_lag\nDo        ps -p 4711"
    text = message(busy(State(), words, POLICY, NIGHT))

    assert text.subject == "[CRIT] app01 monitor: held by pid 4711 for 11 min"
    assert lines(text)[1:3] == ["Now       test_lag", "Do        ps -p 4711"]


def test_a_gap_in_the_runs_is_told_with_its_times() -> None:
    text = told(run(passed()), run(passed()), every=100)

    assert text.subject == "[WARN] app01 monitor: no run between 03:00 and 04:40 (100 min)"


def test_vanished_checks_are_named() -> None:
    text = told(run(passed(), passed(BACKUP)), run(passed()))

    assert f"Vanished  {BACKUP}" in lines(text)
    assert "1 check vanished from the suite" in text.subject


def test_a_skip_is_told_as_not_judged() -> None:
    text = told(run(skipped(), *OTHERS))

    assert text.subject == "[WARN] app01 queue analyze_page: not judged: no key queues"


def test_a_known_issue_that_passes_says_what_to_do() -> None:
    text = told(run(passed(known_issue=KnownIssue(reference="SHOP-12"))))

    assert "passes, though SHOP-12 is its known issue. Take the marker" in lines(text)[0]


def test_a_known_issue_whose_day_is_over_names_it() -> None:
    text = told(run(failed(known_issue=KnownIssue(reference="SHOP-12", until="2026-01-01"))))

    assert "Its known issue SHOP-12 ended 2026-01-01" in lines(text)[0]


def test_a_warning_that_became_critical_says_so() -> None:
    assert "It was a warning and is critical now" in lines(told(run(warned()), run(failed())))[0]


def test_what_hangs_on_a_cause_is_counted_and_named() -> None:
    follower = failed(BACKUP, depends_on=(QUEUE,))
    text = told(run(failed(), follower, *OTHERS))

    assert "1 more check fails because of it." in lines(text)[0]
    assert "Explains  every member is fresh of export" in lines(text)
    assert text.items[0].checks == (BACKUP,)


def test_a_number_that_doubled_says_what_was_told() -> None:
    first = lines(told(run(depth(1000)), run(depth(2400))))[0]

    assert "It has doubled since it was told (1000 then); failing for 5 min" in first


def test_flapping_is_told_with_its_changes_and_that_it_will_be_quiet() -> None:
    text = told(*[run(failed()), run(passed())] * 3, run(failed()))

    assert "fails and passes in turn: 6 changes in the last 6 runs" in lines(text)[0]
    assert "Nothing more is told until it is stable." in lines(text)[0]
    assert not text.repeatable


def test_who_is_escalated_to_reads_that_nobody_has_acknowledged_it() -> None:
    routes = Route(notify=("email",)), Route(notify=("pager",), after=minutes(5))
    routing = Routing(routes=routes, notifiers=("email", "pager"))
    text = told(run(failed()), run(failed()), policy=replace(POLICY, routing=routing))

    assert "failing for" in lines(text)[0].lower()
    assert "nobody has acknowledged it" in lines(text)[0]


def test_an_incident_that_goes_on_says_how_to_end_its_reminders() -> None:
    decision = after(run(failed()))[0]
    name = decision.state.incidents[QUEUE].id

    command = f"Known?    yakei ack {name} --reason TEXT: no more reminders of it"
    assert command in lines(message(decision))
    assert not [each for each in lines(told(run(skipped(), *OTHERS))) if "yakei ack" in each]


def test_a_check_that_newly_skips_is_reminded_as_such() -> None:
    reports = run(passed(), *OTHERS), *[run(skipped(), *OTHERS)] * 13

    assert "Skipped for 60 min, 13 runs" in lines(told(*reports))[0]


# What comes from outside


def test_the_output_is_last_and_loses_its_middle() -> None:
    output = "\n".join(f"line {number}" for number in range(5000))
    text = told(run(failed(output=output)))

    below = text.body.partition("Full log")[2]
    assert len(below.splitlines()) <= 203
    assert "line 0\n" in below
    assert below.endswith("line 4999\n")
    assert "lines left out; all are in the log" in below


@pytest.mark.parametrize("text", ["x" * 1_000_000, "漢\n" * 300_000, "é " * 500_000])
def test_a_body_has_at_most_60_kilobytes(text: str) -> None:
    result = failed(fact=text, details=text, output=text, owner=text, runbook=text)

    assert len(told(run(result, failed(BACKUP, output=text))).body.encode()) <= 60_000


def test_terminal_escapes_and_new_lines_in_names_do_nothing() -> None:
    evil = "\x1b[2J\x1b]0;owned\x07queue\r\nBcc: all@example.com\x00\u202e"
    text = told(run(failed(label=evil, fact=f"1396 {evil}", details=evil, output=evil)))

    shown = f"{text.subject}\n{text.body}"
    assert not {"\x1b", "\r", "\x00", "\u202e"} & set(shown)
    assert not any(line.startswith("Bcc") for line in [text.subject, *lines(text)[:1]])


@PATIENTLY
@given(st.text(), st.text(), st.text())
def test_every_body_is_text_that_can_be_sent(fact: str, details: str, output: str) -> None:
    body = told(run(failed(fact=fact, details=details, output=output))).body

    assert body.encode()
    assert not {unicodedata.category(each) for each in body if each not in "\n\t"} & UNSENDABLE


def test_fields_in_any_language_are_readable() -> None:
    text = told(run(failed(label="キュー 解析", fact="1396 件が待機中 (上限 1000)")))

    assert text.subject == "[CRIT] app01 キュー 解析: 1396 件が待機中 (上限 1000)"


def test_a_message_of_what_goes_on_may_stand_for_an_older_one() -> None:
    assert told(run(failed())).repeatable
    assert told(run(failed())).keys == (QUEUE,)
    assert not told(run(skipped(), *OTHERS)).repeatable

"""The journal of a run, read while another process writes it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from yakei.execution.endings import out_of_time
from yakei.execution.journal import Event, Journal, Progress, read_progress

COLLECTED: Event = {"event": "collected", "checks": ["a", "b", "c"], "not_due": ["d"]}


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def finished(nodeid: str, outcome: str) -> Event:
    return {"event": "finished", "test": {"nodeid": nodeid, "outcome": outcome}}


def started(nodeid: str) -> Event:
    return {"event": "started", "nodeid": nodeid, "at": 1263006302.0}


def progress_of(*events: Event) -> Progress:
    progress = Progress()
    progress.learn(events, now=100.0)
    return progress


def test_each_line_is_read_once(tmp_path: Path) -> None:
    with Journal(tmp_path / "run.jsonl") as journal:
        append(tmp_path / "run.jsonl", '{"event": "session"}\n')
        first, second = journal.read(), journal.read()

    assert (first, second) == ([{"event": "session"}], [])


def test_a_line_is_read_when_it_is_whole(tmp_path: Path) -> None:
    with Journal(tmp_path / "run.jsonl") as journal:
        append(tmp_path / "run.jsonl", '{"event": ')
        first = journal.read()
        append(tmp_path / "run.jsonl", '"end"}\n')

        assert (first, journal.read()) == ([], [{"event": "end"}])


def test_half_a_line_of_a_dead_process_does_not_swallow_the_next(tmp_path: Path) -> None:
    append(tmp_path / "run.jsonl", '{"event": "star')
    with Journal(tmp_path / "run.jsonl") as journal:
        append(tmp_path / "run.jsonl", '{"event": "end"}\n')

        assert journal.read() == [{"event": "end"}]


@pytest.mark.parametrize("junk", ["[1]", "17", "nonsense", '{"event": "new in 2030"}', "\0"])
def test_a_line_that_says_nothing_to_us_is_passed_over(tmp_path: Path, junk: str) -> None:
    append(tmp_path / "run.jsonl", f"{junk}\n{json.dumps(COLLECTED)}\n")

    assert list(read_progress(tmp_path / "run.jsonl").collected) == ["a", "b", "c"]


def test_a_check_waits_runs_and_ends() -> None:
    progress = progress_of(COLLECTED, finished("a", "passed"), started("b"))

    assert (list(progress.outcomes), list(progress.running), progress.waiting) == (
        ["a"],
        ["b"],
        ["c"],
    )


def test_a_check_has_the_limit_that_was_collected_with_it() -> None:
    progress = progress_of({**COLLECTED, "timeouts": {"b": 120.0}}, started("a"), started("b"))

    assert [check.timeout for check in progress.running.values()] == [None, 120.0]


def test_what_ran_in_the_process_before_has_crashed() -> None:
    progress = progress_of(COLLECTED, started("a"), {"event": "session"})

    assert (progress.outcomes, progress.running) == ({"a": "crashed"}, {})


def test_the_tally_counts_every_check_once() -> None:
    progress = progress_of(COLLECTED, finished("a", "passed"), finished("b", "error"))

    assert progress.tally() == "1 passed, 1 failed, 1 not judged"


def test_the_outcome_is_the_plugins_rather_than_pytests() -> None:
    event = finished("a", "failed")
    event["test"]["metadata"] = {"yakei": {"outcome": "not judged"}}

    assert progress_of(COLLECTED, event).outcomes == {"a": "not judged"}


def test_a_check_that_begins_while_the_run_is_ended_has_run_for_no_time() -> None:
    ended = out_of_time(progress_of(COLLECTED, started("a")), timedelta(seconds=9), 99.9)

    assert "a had run for 0 s" in ended.problems[0].text
    assert ended.overrides[0].duration == 0.0

"""`yakei history` says how a check and its measures went."""

from __future__ import annotations

import json
import re

import pytest
from operators import Operator, a_bad_night, ago, happened
from repository import Repository
from suites import BACKUP, QUEUE, depth, passed, run

CLOCK = r"(?:[\d-]{10} )?\d\d:\d\d"


@pytest.fixture(autouse=True)
def night(repository: Repository) -> None:
    a_bad_night(repository)


def test_its_runs_are_counted_and_its_measures_have_extremes(operator: Operator) -> None:
    said = operator("history", QUEUE).stdout.splitlines()

    assert said[0] == QUEUE
    assert said[1].startswith("4 runs in the last 24h: 2 passed, 2 failed; took ")
    assert said[3:5] == ["waiting: 2210 rows (limit: below 1000), 10 to 2210", "▁▅▁█"]


def test_stretches_of_equal_outcomes_are_one_line_newest_first(operator: Operator) -> None:
    said = operator("history", BACKUP).stdout.splitlines()

    late = r"failed  newest backup is 26 h old \(limit 13 h\)"
    assert re.fullmatch(rf"{CLOCK} +to {CLOCK} +3 runs  {late}", said[3])
    assert re.fullmatch(rf"{CLOCK} +1 run   passed", said[4])


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(QUEUE, id="its id"),
        pytest.param("analyze_page", id="a part of it"),
        pytest.param("*test_depth[*]", id="a pattern, brackets as they are"),
        pytest.param("a", id="a part of one check, and of every file"),
    ],
)
def test_a_check_is_named_as_far_as_it_is_clear(operator: Operator, written: str) -> None:
    assert operator("history", written).stdout.startswith(f"{QUEUE}\n")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("monitors", f"monitors could be any of {BACKUP}, {QUEUE}"),
        (
            "test_dept_analyze_page",
            f"no run has had a check test_dept_analyze_page; did you mean '{QUEUE}'?",
        ),
    ],
)
def test_what_is_not_clear_is_said_with_the_candidates(
    operator: Operator, written: str, told: str
) -> None:
    ran = operator("history", written)

    assert (ran.code, ran.stdout, ran.stderr) == (2, "", f"yakei: history: {told}\n")


def test_a_parameter_that_looks_like_an_id_is_a_part_of_its_check(
    repository: Repository, operator: Operator
) -> None:
    ids = [f"monitors/test_net.py::test_ping[fe80::{number}]" for number in (1, 2)]
    happened(repository, (ago(hours=1), run(*map(passed, ids), passed("a.py::test_ping_all"))))

    assert operator("history", "test_ping[").code == 2
    assert operator("history", "ping").stderr.count("test_ping") == 3


def test_without_a_run_in_the_time_it_says_so(operator: Operator) -> None:
    said = operator("history", QUEUE, "--since", "10m").stdout

    assert said == f"{QUEUE}\nno run in the last 10m\n"


def test_a_check_that_flaps_fills_no_more_than_a_screen(
    repository: Repository, operator: Operator
) -> None:
    reports = (run(passed() if number % 2 else depth(1396)) for number in range(50))
    happened(
        repository, *((ago(minutes=29 - number / 2), each) for number, each in enumerate(reports))
    )
    said = operator("history", QUEUE).stdout.splitlines()

    assert len(said) < 30
    assert said[-1] == "and 33 stretches before; everything is there with --json"


def test_programs_read_every_outcome_and_measure(operator: Operator) -> None:
    found = json.loads(operator("history", QUEUE, "--json").stdout)

    assert (found["version"], found["check"]) == (1, QUEUE)
    assert [each["outcome"] for each in found["outcomes"]] == ["passed", "failed"] * 2
    assert [each["value"] for each in found["measures"]] == [10, 1396, 10, 2210]
    assert found["measures"][0]["limit"] == "below 1000"


def test_before_the_first_run_there_is_nothing_to_tell(
    repository: Repository, operator: Operator
) -> None:
    (repository.state / "state.sqlite3").unlink()
    ran = operator("history", QUEUE)

    assert (ran.code, ran.stderr) == (2, "yakei: history: there has been no run yet\n")

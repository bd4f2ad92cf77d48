"""What the commands write fits a terminal, and is coloured only where colours show."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Mapping

import pytest
from operators import a_bad_night
from repository import Repository, cron_environment

from yakei.commands.layout import Paper, sparkline
from yakei.results import Severity

PAPER = Paper(width=40)


def test_a_line_that_is_too_long_goes_on_under_its_text() -> None:
    lines = PAPER.block(Severity.CRITICAL, "queue: so many rows wait that none is taken", ["since"])

    assert lines == [
        "[CRIT] queue: so many rows wait that",
        "       none is taken",
        "       since",
    ]


def test_a_word_stays_whole_so_that_it_can_be_copied() -> None:
    check = "monitors/test_backups.py::test_every_member_is_fresh[export]"

    assert check in PAPER.wrapped(f"matches {check}", "  ")[1]


def test_columns_are_as_wide_as_what_is_in_them() -> None:
    rows = [("03:05", "1 run", "failed: a fact that is long indeed"), ("3", "12 runs", "")]

    assert PAPER.table(rows) == [
        "03:05  1 run    failed: a fact that is",
        "                long indeed",
        "3      12 runs",
    ]


@pytest.mark.parametrize(
    ("values", "line"),
    [
        pytest.param([], "", id="nothing"),
        pytest.param([3, 3, 3], "▁▁▁", id="always the same"),
        pytest.param([0, 50, 100], "▁▄█", id="growing"),
        pytest.param([0] * 99 + [7], "▁▁▁▁▁▁▁▁▁█", id="a peak is not averaged away"),
        pytest.param([float("1e308"), -1e308], "█▁", id="as far apart as can be"),
    ],
)
def test_a_course_is_a_line_of_blocks(values: list[float], line: str) -> None:
    assert sparkline(values, 10) == line


def on_terminal(repository: Repository, environment: Mapping[str, str]) -> str:
    """Return what `yakei status` writes to a terminal."""
    ours, theirs = pty.openpty()
    subprocess.run(
        repository.command("status"),
        cwd=repository.folder,
        env=cron_environment({"TERM": "xterm", **environment}),
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        check=True,
    )
    os.close(theirs)
    said = os.read(ours, 9999).decode()
    os.close(ours)
    return said


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_a_terminal_has_colours_unless_it_is_told_to_have_none(
    repository: Repository, environment: dict[str, str], coloured: bool
) -> None:
    a_bad_night(repository)

    assert ("\x1b[1;31m[CRIT]\x1b[0m" in on_terminal(repository, environment)) == coloured


def test_what_is_no_terminal_has_no_colours(repository: Repository) -> None:
    a_bad_night(repository)

    assert "\x1b" not in repository.call("status").stdout

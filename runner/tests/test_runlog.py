"""The log as cronlog writes it, and logs that cannot be written."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from yakei.results import ProblemKind
from yakei.runlog import SEPARATOR, Excerpt, RunLog, Stamp, excerpt_of

ISO = r"\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d\] "
CTIME = r"\[(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}\] "


def write_run(path: Path, text: str = "ok\n", code: int = 0, stamp: Stamp = Stamp.NONE) -> None:
    """Write one whole run."""
    with RunLog(path, stamp=stamp) as log:
        log.begin("app01", ["prove", "-v", "x/a.t"])
        log.write(text)
        log.end(code)


def test_a_run_is_written_as_cronlog_does(tmp_path: Path) -> None:
    write_run(tmp_path / "log", "1..1\nok 1\n")

    assert (tmp_path / "log").read_text() == (
        f"{'-' * 78}\napp01 starting: prove -v x/a.t\n1..1\nok 1\ncommand exited with code:0\n"
    )


def test_a_death_by_signal_is_written_as_cronlog_does(tmp_path: Path) -> None:
    write_run(tmp_path / "log", code=-9)

    assert (tmp_path / "log").read_text().endswith("\ncommand died with signal:9\n")


def test_runs_are_appended(tmp_path: Path) -> None:
    write_run(tmp_path / "log")
    write_run(tmp_path / "log")

    assert (tmp_path / "log").read_text().count(SEPARATOR) == 2


def test_a_rotated_log_is_begun_anew(tmp_path: Path) -> None:
    write_run(tmp_path / "log")
    (tmp_path / "log").rename(tmp_path / "log.1")
    write_run(tmp_path / "log")

    assert (tmp_path / "log").read_text().count(SEPARATOR) == 1


@pytest.mark.parametrize(
    ("stamp", "pattern"),
    [
        pytest.param(Stamp.ISO, ISO, id="ISO 8601 with offset"),
        pytest.param(Stamp.CTIME, CTIME, id="as cronlog's -t"),
    ],
)
def test_each_line_but_the_dashes_is_stamped(tmp_path: Path, stamp: Stamp, pattern: str) -> None:
    write_run(tmp_path / "log", "one\n\ntwo\r2\n", stamp=stamp)
    dashes, *lines = (tmp_path / "log").read_bytes().decode().removesuffix("\n").split("\n")

    assert dashes == "-" * 78
    assert [re.match(pattern, line) is not None for line in lines] == [True] * 5


def test_secrets_are_taken_out_of_the_file_and_of_what_is_returned(tmp_path: Path) -> None:
    with RunLog(tmp_path / "log", redact=lambda text: text.replace("hunter2", "***")) as log:
        first = log.begin("app01", ["login", "hunter2"])
        line = log.write("password hunter2\n")

    assert first + line == "app01 starting: login ***\npassword ***\n"
    assert "hunter2" not in (tmp_path / "log").read_text()


def test_without_a_path_the_lines_are_only_returned() -> None:
    with RunLog(None) as log:
        text = log.write("line\n")

    assert (text, log.problem) == ("line\n", None)


def test_a_file_is_copied_with_its_last_line_completed(tmp_path: Path) -> None:
    (tmp_path / "output").write_bytes(b"one\n\xff two")
    with RunLog(tmp_path / "log") as log:
        log.copy(tmp_path / "output")

    assert (tmp_path / "log").read_text() == "one\n\N{REPLACEMENT CHARACTER} two\n"


def test_a_log_in_a_missing_folder_is_a_problem_and_nothing_more(tmp_path: Path) -> None:
    with RunLog(tmp_path / "missing" / "log") as log:
        text = log.begin("app01", ["true"])

    assert text == "app01 starting: true\n"
    assert log.problem
    assert log.problem.kind is ProblemKind.LOG
    assert f"{tmp_path}/missing/log cannot be written: No such file" in log.problem.text


def test_a_full_disk_is_a_problem_and_nothing_more() -> None:
    with RunLog(Path("/dev/full")) as log:
        log.begin("app01", ["true"])
        log.end(0)

    assert log.problem
    assert "No space left on device" in log.problem.text


def test_a_fifo_that_nobody_reads_does_not_hold_up_the_run(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "log")
    with RunLog(tmp_path / "log") as log:
        log.begin("app01", ["true"])

    assert log.problem


def test_a_short_text_is_its_own_excerpt() -> None:
    excerpt = Excerpt()
    excerpt.add("one\n")
    excerpt.add("two\n")

    assert str(excerpt) == "one\ntwo\n"


def test_an_excerpt_keeps_beginning_and_end_and_says_what_is_left_out() -> None:
    excerpt = Excerpt()
    for number in range(100_000):
        excerpt.add(f"line {number}\n")
    first, *_, last = str(excerpt).splitlines()

    assert (first, last) == ("line 0", "line 99999")
    assert re.search(r"\n… \d{3},\d{3} characters are left out here …\nline \d+\n", str(excerpt))
    assert len(str(excerpt)) < 132_000


@pytest.mark.parametrize("lines", [1, 100, 20_000])
def test_the_excerpt_of_a_file_is_that_of_its_text(tmp_path: Path, lines: int) -> None:
    text = "".join(f"line {number}\n" for number in range(lines))
    (tmp_path / "output").write_text(text)
    excerpt = Excerpt()
    excerpt.add(text)

    assert excerpt_of(tmp_path / "output") == str(excerpt)

"""In slots, pytest's log file has the lines of all workers."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_logs import ALL_AT_ONCE, CHECKS, EVERYTHING, spoken
from engine_runs import run_both, run_checks

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("mode", ["w", "a"])
def test_the_log_file_has_the_same_lines(tmp_path: Path, mode: str) -> None:
    options = ("--log-file=log.txt", "--log-file-level=DEBUG", f"--log-file-mode={mode}")
    for name in ("habits0", "habits1"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "log.txt").write_text("of yesterday\n")
    plain, slotted = (
        (run.folder / "log.txt").read_text().replace(str(run.folder), "FOLDER")
        for run in run_both(tmp_path, CHECKS, options)
    )

    assert slotted == plain
    assert ("of yesterday" in plain) == (mode == "a")


def test_the_log_file_has_the_lines_of_all_slots_whole_and_once(tmp_path: Path) -> None:
    run_checks(tmp_path, ALL_AT_ONCE, "--log-file=log.txt", "--yakei-slots=4")
    lines = (tmp_path / "log.txt").read_text().splitlines()
    said = spoken(lines)

    assert len(lines) == 8 * len(EVERYTHING)
    assert sorted(said) == list("01234567")
    assert all(sorted(each) == EVERYTHING for each in said.values())


def test_the_log_file_has_what_a_lost_check_has_logged(tmp_path: Path) -> None:
    checks = "import logging, os\ndef test_it():\n logging.warning('last words')\n os._exit(1)"
    run_checks(tmp_path, checks, "--log-file=log.txt", "--yakei-slots=1")

    assert "last words" in (tmp_path / "log.txt").read_text()


def test_the_log_file_has_a_line_whose_writing_was_cut_short(tmp_path: Path) -> None:
    """As by a timeout between the writing and the flushing of it."""
    checks = """
def test_it(request):
    handler = request.config.pluginmanager.get_plugin("logging-plugin").log_file_handler
    handler.stream.write("written and not flushed")
"""
    run_checks(tmp_path, checks, "--log-file=log.txt", "--yakei-slots=1")

    assert (tmp_path / "log.txt").read_text() == "written and not flushed"

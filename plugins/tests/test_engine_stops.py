"""How a session in slots stops before its last check."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_runs import run_checks

pytestmark = pytest.mark.slow


def test_a_plugin_that_stops_at_a_report_is_heard_some_quick_checks_later(tmp_path: Path) -> None:
    """It hears of it in the parent, which is told of quick ones together."""
    (tmp_path / "conftest.py").write_text(
        """
def pytest_sessionstart(session):
    global here
    here = session
def pytest_runtest_logreport(report):
    if report.failed:
        here.shouldstop = "enough"
""",
        encoding="utf-8",
    )
    checks = "\n".join(f"def test_{n}(): assert {n} != 2" for n in range(400))
    ended = run_checks(tmp_path, checks, "--yakei-slots=1")

    assert ended.exit_code == 2
    assert 3 <= len(ended.outcomes) < 200


SAYS_WHAT_IT_HEARD = """
import pathlib

def pytest_runtest_logreport(report):
    if report.failed:
        (pathlib.Path(__file__).parent / "heard").touch()
"""
BEGUN = """
import pathlib, pytest, time

here = pathlib.Path(__file__).parent

def wait_until(is_so):
    while not is_so():
        time.sleep(0.01)

def test_ill():
    wait_until(lambda: len(list(here.glob("begun-*"))) >= 3)
    assert 0

@pytest.mark.parametrize("number", range(20))
def test_well(number):
    (here / f"begun-{number}").touch()
    wait_until((here / "heard").exists)
"""


def test_many_slots_finish_what_runs_when_one_fails(tmp_path: Path) -> None:
    """With -x nothing begins any more; what has begun is told too."""
    (tmp_path / "conftest.py").write_text(SAYS_WHAT_IT_HEARD, encoding="utf-8")
    ended = run_checks(tmp_path, BEGUN, "-x", "--yakei-slots=4", "--timeout=20")
    begun = [each.name.removeprefix("begun-") for each in tmp_path.glob("begun-*")]

    assert ended.exit_code == 1
    assert ended.outcomes == {"test_ill": "failed"} | {f"test_well[{n}]": "passed" for n in begun}
    assert 3 <= len(begun) < 20

"""In slots, a check that spoils its process for those after it costs them nothing."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from engine_runs import run_checks
from servers.processes import wait_until

from pytest_yakei.engine import linux

pytestmark = pytest.mark.slow

SHORT = """
import _thread, os, pathlib

begin, us, here = _thread.start_new_thread, os.getpid(), pathlib.Path(__file__).parent

def fail_at_first(*given):
    if os.getpid() != us and len(list(here.glob("failed-*"))) < FAILURES:
        (here / f"failed-{os.getpid()}").touch()
        raise RuntimeError("can't start new thread")
    return begin(*given)

_thread.start_new_thread = fail_at_first
"""
"""Makes a system of which others take nearly all processes, as far as workers see it."""
AFTER = """
import io, os, sys, pytest

@pytest.fixture
def early(): sys.stdout.close()

BODY

@pytest.mark.parametrize("number", range(9))
def test_after(number): print(number); assert number != 4
"""


def after(folder: Path, check: str) -> dict[str, str]:
    """Run a check, and others after it in the same slot; return all outcomes."""
    return run_checks(folder, AFTER.replace("BODY", check), "--yakei-slots=1").outcomes


@pytest.mark.parametrize(
    "check",
    [
        "def test_it(): sys.stdout.close()",
        "def test_it(): io.TextIOWrapper(sys.stderr.buffer)",
        "def test_it(early): pass",
    ],
    ids=["closed", "garbage", "closed by a fixture"],
)
def test_a_check_that_closes_what_is_captured_costs_no_other(tmp_path: Path, check: str) -> None:
    outcomes = after(tmp_path, check)

    assert outcomes.pop("test_it") in {"failed", "error"}
    assert [name for name, each in outcomes.items() if each != "passed"] == ["test_after[4]"]


def test_a_forked_child_that_comes_back_judges_nothing(tmp_path: Path) -> None:
    """It would say first, in the name of its parent, that the check has passed."""
    check = """
def test_it():
    if child := os.fork():
        assert os.waitpid(child, 0)[1] == 0
"""
    outcomes = after(tmp_path, check)

    failed = [name for name, outcome in outcomes.items() if outcome != "passed"]
    assert len(outcomes) == 10
    assert failed == ["test_it", "test_after[4]"]


def test_a_worker_that_cannot_begin_costs_no_check(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(SHORT.replace("FAILURES", "2"), encoding="utf-8")
    ended = run_checks(tmp_path, AFTER.replace("BODY", ""), "--yakei-slots=2")

    assert len(list(tmp_path.glob("failed-*"))) >= 2
    assert [name for name, each in ended.outcomes.items() if each != "passed"] == ["test_after[4]"]


def test_a_system_in_which_no_worker_can_begin_is_told_with_its_limits(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(SHORT.replace("FAILURES", "99"), encoding="utf-8")
    ended = run_checks(tmp_path, AFTER.replace("BODY", ""), "--yakei-slots=2")

    assert ended.exit_code == pytest.ExitCode.INTERNAL_ERROR
    assert "no process can be forked to run checks in: see `ulimit -u`" in ended.output


def test_a_check_that_says_to_be_another_process_harms_no_process_of_it(tmp_path: Path) -> None:
    """As a replaced `os.getpid` does: what that one had started would be ended as left behind."""
    shell = ["sh", "-c", "sleep 60 & wait"]
    with subprocess.Popen(shell, start_new_session=True) as other:
        try:
            wait_until(lambda: linux.children(other.pid), "the shell's child")
            (sleeping,) = linux.children(other.pid)
            check = (
                "import subprocess\ndef test_it():\n    subprocess.Popen(['sleep', '60'])\n"
                f"    os.getpid = lambda: {other.pid}"
            )
            outcomes = after(tmp_path, check)
            is_alive = linux.is_living(sleeping)
        finally:
            os.killpg(other.pid, signal.SIGKILL)

    assert is_alive
    assert outcomes["test_it"] == "passed"

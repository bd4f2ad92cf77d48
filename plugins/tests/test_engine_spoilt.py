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
EVERY_OTHER = """
import _thread, os, pathlib

begin, us, here = _thread.start_new_thread, os.getpid(), pathlib.Path(__file__).parent

def fail_in_turn(*given):
    if os.getpid() != us:
        begun = len(list(here.glob("begun-*")))
        (here / f"begun-{begun}").touch()
        if begun % 2 == 0:
            raise RuntimeError("can't start new thread")
    return begin(*given)

_thread.start_new_thread = fail_in_turn
"""
CRASHES = """
import os, pytest

@pytest.mark.parametrize("number", range(4))
def test_it(number): os._exit(1)
"""
MANY = """
import pathlib, pytest, time

here = pathlib.Path(__file__).parent

@pytest.mark.parametrize("number", range(6))
def test_it(number):
    (here / f"begun-{number}").touch()
    while len(list(here.glob("begun-*"))) < 5: time.sleep(0.01)
"""
"""Five of them have to run at once."""
IN_A_CHILD = """
import json, os, pytest
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    hook, config = item.ihook, item.config
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    read, write = os.pipe()
    if not (child := os.fork()):
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
        as_data = config.hook.pytest_report_to_serializable
        data = [as_data(config=config, report=each) for each in reports]
        os.write(write, json.dumps(data).encode())
        os._exit(0)
    os.close(write)
    with open(read) as file:
        told = json.loads(file.read())
    os.waitpid(child, 0)
    for data in told:
        report = config.hook.pytest_report_from_serializable(config=config, data=data)
        hook.pytest_runtest_logreport(report=report)
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True
"""
"""As pytest-forked does."""
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
        "def test_it(): os.close(sys.stdout.fileno())",
        "def test_it(): sys.stdout.detach()",
    ],
    ids=["closed", "garbage", "closed by a fixture", "its descriptor closed", "detached"],
)
def test_a_check_that_closes_what_is_captured_costs_no_other(tmp_path: Path, check: str) -> None:
    outcomes = after(tmp_path, check)

    outcomes.pop("test_it")
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


def test_workers_that_cannot_begin_at_first_are_tried_again_a_moment_later(tmp_path: Path) -> None:
    """What keeps them from it, as a user's many processes, is often over in a second."""
    (tmp_path / "conftest.py").write_text(SHORT.replace("FAILURES", "2"), encoding="utf-8")
    ended = run_checks(tmp_path, MANY, "--yakei-slots=6", "--timeout=20")

    assert set(ended.outcomes.values()) == {"passed"}
    assert ended.output.count("checks wait, as not all slots can begin: RuntimeError: can't") == 1


def test_a_worker_that_cannot_begin_now_and_then_ends_no_session(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(EVERY_OTHER, encoding="utf-8")
    ended = run_checks(tmp_path, CRASHES, "--yakei-slots=1")

    assert list(ended.outcomes.values()) == ["failed"] * 4
    assert len(list(tmp_path.glob("begun-*"))) >= 8


def test_a_system_in_which_no_worker_can_begin_is_told_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(SHORT.replace("FAILURES", "99"), encoding="utf-8")
    ended = run_checks(tmp_path, AFTER.replace("BODY", ""), "--yakei-slots=2")

    assert ended.exit_code == pytest.ExitCode.INTERNAL_ERROR
    assert "no process can begin to run checks: RuntimeError: can't start new th" in ended.output


def test_a_check_that_removes_pytests_temporary_folder_costs_no_other(tmp_path: Path) -> None:
    checks = """
import os, shutil, pytest
def test_it(tmp_path_factory):
    shutil.rmtree(tmp_path_factory.getbasetemp().parent)
    os._exit(1)
@pytest.mark.parametrize("number", range(3))
def test_after(tmp_path, number): (tmp_path / "file").touch()
"""
    basetemp = f"--basetemp={tmp_path / 'base'}"
    outcomes = run_checks(tmp_path, checks, "--yakei-slots=1", basetemp).outcomes

    assert outcomes.pop("test_it") == "failed"
    assert list(outcomes.values()) == ["passed"] * 3


@pytest.mark.parametrize("slots", [0, 1, 3])
def test_a_plugin_may_run_each_check_in_a_child_of_its_own(tmp_path: Path, slots: int) -> None:
    (tmp_path / "conftest.py").write_text(IN_A_CHILD, encoding="utf-8")
    ended = run_checks(tmp_path, AFTER.replace("BODY", ""), f"--yakei-slots={slots}")

    assert [name for name, each in ended.outcomes.items() if each != "passed"] == ["test_after[4]"]
    assert len(ended.outcomes) == 9


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


def test_a_check_that_its_own_stack_dump_wakes_has_timed_out(tmp_path: Path) -> None:
    checks = """
import ctypes, signal
def test_it():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    ctypes.PyDLL(None).sleep(60)
def test_other(): pass
"""
    ended = run_checks(tmp_path, checks, "--yakei-slots=1", "--timeout=1")

    assert ended.outcomes == {"test_it": "failed", "test_other": "passed"}
    assert "timed out after 1 s at line 5" in ended.output

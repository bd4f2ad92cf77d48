"""What users' other plugins do to Python, and what they keep in mind, does no harm in slots."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from engine_runs import Run, beside_others, command, run_both, run_checks, run_command

pytestmark = pytest.mark.slow

NO_CLOCK = """
import time

def pytest_configure():
    time.monotonic = lambda: 1.0
"""
NO_SOCKETS = """
import socket

class Guarded(socket.socket):
    def __new__(cls, *arguments, **named):
        raise RuntimeError("no network in tests")

socket.socket = Guarded
"""
OUT_OF_REACH = """
import signal, time
def test_waits():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    time.sleep(30)
def test_well(): pass
"""
TWICE = """
from _pytest.runner import runtestprotocol
told = []

def pytest_runtest_logreport(report):
    told.append(report.when)

def pytest_runtest_protocol(item, nextitem):
    for _ in range(2):
        for report in runtestprotocol(item, nextitem=item, log=False):
            item.ihook.pytest_runtest_logreport(report=report)
    return True

def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"told: {told}")
"""
RULES = """
import pytest

class Rule(pytest.Item):
    def runtest(self): assert self.name == "fine"

class Rules(pytest.File):
    def collect(self):
        for name in ("fine", "[x] rule", "a::b"):
            yield Rule.from_parent(self, name=name)

def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".rules":
        return Rules.from_parent(parent, path=file_path)

@pytest.fixture
def broken():
    yield
    raise RuntimeError("not taken down")
"""


def with_conftest(folder: Path, conftest: str, checks: str, *options: str) -> tuple[Run, Run]:
    """Run the checks beside a conftest.py, without slots and with one."""
    for name in ("habits0", "habits1"):
        (folder / name).mkdir()
        (folder / name / "conftest.py").write_text(conftest, encoding="utf-8")
        (folder / name / "some.rules").touch()
    return run_both(folder, checks, options)


def beside(folder: Path, checks: str, slots: int, *options: str) -> Run:
    """Run the checks in a process that has also loaded the plugins of others."""
    folder.mkdir()
    (folder / "app.py").write_text("def half(n):\n    if n:\n        return n / 2\n    return 0\n")
    (folder / "test_it.py").write_text(checks, encoding="utf-8")
    words = command(folder, f"--yakei-slots={slots}", *options)
    return run_command(folder, words, beside_others())


def test_a_check_ends_in_time_while_the_clock_stands(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(NO_CLOCK, encoding="utf-8")
    ended = run_checks(tmp_path, OUT_OF_REACH, "--yakei-slots=1", "--timeout=1")

    assert ended.outcomes == {"test_waits": "failed", "test_well": "passed"}
    assert "timed out after 1 s" in str(ended.tests["test_waits"]["call"]["longrepr"])


def test_checks_run_where_sockets_are_forbidden(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(NO_SOCKETS, encoding="utf-8")
    ended = run_checks(tmp_path, "def test_well(): pass", "--yakei-slots=2")

    assert ended.outcomes == {"test_well": "passed"}


def test_what_a_plugin_runs_twice_is_told_in_its_order(tmp_path: Path) -> None:
    runs = with_conftest(tmp_path, TWICE, "def test_it(): pass")

    told = f"told: {['setup', 'call', 'teardown'] * 2}"
    assert [told in each.output for each in runs] == [True, True]


def test_a_name_may_look_like_a_part_of_an_id(tmp_path: Path) -> None:
    runs = with_conftest(tmp_path, RULES, "def test_it(): pass", "-ra", "--tb=no")

    names = ["some.rules::[x] rule", "some.rules::a::b"]
    for each in runs:
        assert [name for name in names if f"FAILED {name} - " in each.output] == names


def test_an_error_of_a_fixture_shows_no_frame_of_ours(tmp_path: Path) -> None:
    plain, slotted = with_conftest(tmp_path, RULES, "def test_it(broken): pass")

    shown = [each.tests["test_it"]["teardown"]["traceback"] for each in (plain, slotted)]
    assert [frame["path"] for frame in shown[0]] == ["conftest.py"]
    assert shown[1] == shown[0]


SNAPSHOTS = """
def test_a(snapshot): assert 1 == snapshot
def test_b(snapshot): assert 2 == snapshot
"""


def test_snapshots_that_checks_use_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "suite"
    made = beside(folder, SNAPSHOTS, 2, "--snapshot-update")
    compared = run_command(folder, command(folder, "--yakei-slots=2"), beside_others())

    assert (made.exit_code, compared.exit_code) == (0, 0)
    assert "2 snapshots passed" in compared.output


def test_what_was_measured_is_judged_at_the_end(tmp_path: Path) -> None:
    ran = beside(tmp_path / "suite", "def test_a(benchmark): benchmark(sum, [1])", 2,
                 "--benchmark-json=measured.json", "--benchmark-max-time=0.01")  # fmt: skip
    document: dict[str, Any] = json.loads((ran.folder / "measured.json").read_text())

    assert [each["name"] for each in document["benchmarks"]] == ["test_a"]


@pytest.mark.parametrize("option", ["cucumber_json_path", "gherkin_terminal_reporter", "profile"])
def test_who_gathers_by_an_option_has_the_checks_in_one_process(
    tmp_path: Path, option: str
) -> None:
    conftest = f"def pytest_addoption(parser): parser.addoption('--gathers', dest='{option}')"
    (tmp_path / "conftest.py").write_text(conftest, encoding="utf-8")
    checks = "import os\nPID = os.getpid()\ndef test_it(): assert os.getpid() == PID"
    ran = run_checks(tmp_path, checks, "--yakei-slots=2", "--gathers=it")

    assert ran.outcomes == {"test_it": "passed"}


COVERED = """
from app import half
def test_some(): assert half(2) == 1
def test_rest(): assert half(0) == 0
"""


@pytest.mark.parametrize("slots", [0, 1, 2])
def test_coverage_counts_what_ran_in_slots(tmp_path: Path, slots: int) -> None:
    options = ("--cov=app", "--cov-branch", "--cov-report=json:covered.json")
    ran = beside(tmp_path / "suite", COVERED, slots, *options)
    totals = json.loads((ran.folder / "covered.json").read_text())["totals"]

    assert totals["percent_covered"] == 100

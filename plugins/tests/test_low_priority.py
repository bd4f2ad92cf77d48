"""A check that is marked `low_priority` leaves the processor and the disk to everybody else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from engine_runs import ENDING, Run, command

pytestmark = pytest.mark.slow

CHECKS = """
import os, pytest, subprocess

def here():
    level = os.getpriority(os.PRIO_PROCESS, 0)
    return f"{level} {subprocess.check_output(['ionice'], text=True).split(':')[0].strip()}"

@pytest.fixture
def tell(record_property):
    record_property("pid", os.getpid())
    yield lambda: record_property("priority", here())

def test_before(tell): tell()

@pytest.mark.low_priority
def test_deep(tell): tell()

def test_after(tell): tell()
"""
WITHOUT_RIGHTS = ("setpriv", "--bounding-set=-sys_nice", "--inh-caps=-sys_nice")
"""Also root may not raise a priority then."""
ROOT = pytest.mark.server  # may raise a priority
RUNNER = ("--yakei-run", "--yakei-journal=journal.jsonl")
LOW, NORMAL = "10 idle", "0 none"

Judge = Callable[..., Run]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """Run the checks, with the right to raise a priority or without it."""
    (tmp_path / "test_it.py").write_text(CHECKS, encoding="utf-8")
    (tmp_path / "yakei.toml").touch()

    def judge_(*options: str, with_rights: bool) -> Run:
        prefix = () if with_rights or os.geteuid() else WITHOUT_RIGHTS
        path = os.pathsep.join(map(str, map(Path, sys.path)))
        ended = subprocess.run(
            [*prefix, *command(tmp_path, *options)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            check=False,
            timeout=ENDING,
            text=True,
        )
        return Run.read(tmp_path, ended.returncode, ended.stdout)

    return judge_


def told(run: Run, what: str) -> dict[str, Any]:
    """Return a property of each check by the check's name."""
    return {
        name: value
        for name, test in run.tests.items()
        for each in test["user_properties"]
        for key, value in each.items()
        if key == what
    }


@pytest.mark.parametrize(
    "with_rights", [pytest.param(True, marks=ROOT), False], ids=["root", "anybody"]
)
@pytest.mark.parametrize(
    "options",
    [RUNNER, ("--yakei-slots=1",), ("--yakei-slots=2", *RUNNER)],
    ids=["the runner's own loop", "one slot", "two slots of the runner"],
)
def test_a_heavy_check_and_no_other_has_a_low_priority(
    judge: Judge, options: tuple[str, ...], with_rights: bool
) -> None:
    run = judge(*options, with_rights=with_rights)

    assert run.exit_code == 0
    assert told(run, "priority") == {"test_before": NORMAL, "test_deep": LOW, "test_after": NORMAL}


@ROOT
def test_plain_pytest_gives_the_priority_back_to_the_next_check(judge: Judge) -> None:
    run = judge(with_rights=True)

    assert told(run, "priority") == {"test_before": NORMAL, "test_deep": LOW, "test_after": NORMAL}


def test_plain_pytest_that_could_not_give_it_back_leaves_it(judge: Judge) -> None:
    run = judge(with_rights=False)

    assert set(told(run, "priority").values()) == {NORMAL}
    assert "ran at normal priority" in run.told("test_deep")["notes"][0]


@ROOT
def test_a_worker_that_may_raise_its_priority_goes_on(judge: Judge) -> None:
    pids = told(judge("--yakei-slots=1", with_rights=True), "pid")

    assert len(set(pids.values())) == 1


def test_a_worker_that_may_not_is_not_used_any_more(judge: Judge) -> None:
    pids = told(judge("--yakei-slots=1", with_rights=False), "pid")

    assert pids["test_before"] == pids["test_deep"] != pids["test_after"]


def test_an_entry_may_ask_for_it_and_may_refuse_it(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "yakei.toml").write_text(ENTRIES, encoding="utf-8")
    (tmp_path / "test_it.py").write_text(ENTRY_CHECKS, encoding="utf-8")
    run = judge("--yakei-slots=2", with_rights=False)

    asked = {name: told(run, "nice")[f"test_it[{name}]"] for name in ("asks", "refuses", "silent")}
    assert asked == {"asks": 10, "refuses": 0, "silent": 10}


ENTRIES = """
[databases]
main = "sqlite:///q.db"
[queues.asks]
database = "main"
table = "a"
max_depth = 1
low_priority = true
[queues.refuses]
database = "main"
table = "a"
max_depth = 1
low_priority = false
[queues.silent]
database = "main"
table = "a"
max_depth = 1
"""
ENTRY_CHECKS = """
import os, pytest

@pytest.mark.low_priority
def test_it(queue, record_property): record_property("nice", os.getpriority(os.PRIO_PROCESS, 0))
"""


def test_a_marker_that_says_nothing_is_refused(judge: Judge, tmp_path: Path) -> None:
    checks = "import pytest\n@pytest.mark.low_priority('yes')\ndef test_it(): pass"
    (tmp_path / "test_it.py").write_text(checks, encoding="utf-8")
    judge(*RUNNER, with_rights=False)

    problem = "marker low_priority: expected True or False, got 'yes'"
    assert problem in (tmp_path / "journal.jsonl").read_text(encoding="utf-8")

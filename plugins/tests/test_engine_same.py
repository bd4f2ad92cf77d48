"""In slots, a suite looks as it does in pytest's own loop."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from engine_runs import Run, beside_others, command, comparable, run_checks, run_command

pytestmark = pytest.mark.slow

HABITS = {
    "engine_habits.py": "test_habits.py",
    "engine_habits_fixtures.py": "more/test_fixtures.py",
    "engine_habits_output.py": "more/test_output.py",
    "engine_habits_async.py": "more/test_async.py",
    "engine_habits_conftest.py": "conftest.py",
}
STAGES = ("setup", "call", "teardown")


@pytest.fixture(scope="module")
def habits(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Run]:
    """Run the suite of habits, once for each number of slots; 0 is pytest's own loop."""
    runs: dict[int, Run] = {}

    def run_(slots: int) -> Run:
        if slots not in runs:
            folder = tmp_path_factory.mktemp("habits")
            (folder / "more").mkdir()
            (folder / "more" / "__init__.py").touch()
            for source, name in HABITS.items():
                shutil.copy(Path(__file__).with_name(source), folder / name)
            options = ("--junitxml=junit.xml", "--doctest-modules", "-ra", "--timeout=20")
            environment = {**beside_others(), "PYTHONHASHSEED": "0"}  # sets in messages
            words = command(folder, f"--yakei-slots={slots}", *options)
            runs[slots] = run_command(folder, words, environment)
        return runs[slots]

    return run_


slots = pytest.mark.parametrize("slots", [1, 4])
WIDE = re.compile(r"^(package|session \w|class|own) (up|down|cleaned)\n", re.MULTILINE)
"""What fixtures of more than one check say: each process has its own of them."""


def comparable_stage(stage: dict[str, Any]) -> dict[str, object]:
    """Return what a stage tells, without what two runs never share."""
    keys = ("outcome", "longrepr", "stdout", "stderr", "crash")
    told: dict[str, object] = {key: comparable(str(stage.get(key))) for key in keys}
    told["log"] = [record["msg"] for record in stage.get("log", ())]
    if stage.get("stdout") == "u":  # pytest's letter of a unittest's subtest gets into its text
        told["stdout"] = "None"
    return told


def stages(run: Run, *, wide: bool = True) -> dict[str, list[dict[str, object]]]:
    """Return what each check's stages tell; without what wide fixtures say if `wide` is false."""
    told = {
        name: [comparable_stage(test[stage]) for stage in STAGES if stage in test]
        for name, test in run.tests.items()
    }
    for stage in () if wide else (each for found in told.values() for each in found):
        stage["stdout"] = WIDE.sub("", str(stage["stdout"])).strip() or "None"
    return told


def summary(run: Run) -> list[str]:
    """Return the lines of pytest's short summary, and the numbers in its last line."""
    lines = re.findall(
        r"^(?:FAILED|ERROR|SKIPPED|XFAIL|XPASS|SUBFAILED|red:).*", run.output, re.MULTILINE
    )
    (counts,) = re.findall(r"=+ (\d+ .*) in [\d.]+s", run.output)
    numbers = [each for each in counts.split(", ") if "warning" not in each]
    return [*sorted(map(comparable, lines)), *sorted(numbers)]


def hooks(run: Run) -> list[tuple[str, str]]:
    """Return what the conftest.py's hooks heard, in which process."""
    lines = (run.folder / "hooks.txt").read_text().splitlines()
    return [(what, pid) for what, _, pid in (line.rpartition(" ") for line in lines)]


@slots
def test_every_check_has_the_same_outcome(habits: Callable[[int], Run], slots: int) -> None:
    assert len(habits(slots).outcomes) > 110
    assert habits(slots).outcomes == habits(0).outcomes


def test_in_one_slot_every_stage_tells_the_same(habits: Callable[[int], Run]) -> None:
    """Outcome, traceback, log and captured text of setup, call and teardown."""
    assert stages(habits(1)) == stages(habits(0))


def test_in_many_slots_only_wide_fixtures_are_made_more_often(habits: Callable[[int], Run]) -> None:
    """Those of a class, a module, a package and the session live once in each process."""
    assert stages(habits(4), wide=False) == stages(habits(0), wide=False)


@slots
def test_the_junit_file_is_the_same(habits: Callable[[int], Run], slots: int) -> None:
    told, plain = (
        [(name, WIDE.sub("", text)) for name, text in habits(each).junit()] for each in (slots, 0)
    )

    assert told == plain


@slots
def test_the_terminal_sums_up_the_same(habits: Callable[[int], Run], slots: int) -> None:
    assert summary(habits(slots)) == summary(habits(0))


@slots
def test_the_exit_code_is_the_same(habits: Callable[[int], Run], slots: int) -> None:
    assert habits(slots).exit_code == habits(0).exit_code == 1


@slots
def test_the_warnings_are_the_same(habits: Callable[[int], Run], slots: int) -> None:
    told, plain = (
        {comparable(warning["message"]) for warning in habits(each).report["warnings"]}
        for each in (slots, 0)
    )

    assert "be careful" in plain
    assert told == plain


@slots
def test_the_reporting_hooks_hear_everything_once_and_in_one_process(
    habits: Callable[[int], Run], slots: int
) -> None:
    """Also what a conftest.py in the worker has added to the reports."""
    heard, plain = hooks(habits(slots)), hooks(habits(0))

    assert sorted(what for what, _ in heard) == sorted(what for what, _ in plain)
    assert len({pid for _, pid in heard}) == 1


FIXTURES = """
import pytest

def said(name, scope):
    @pytest.fixture(scope=scope, name=name)
    def fixture():
        print(f"{name} up")
        yield
        print(f"{name} down")
    return fixture

a, b = said("a", "session"), said("b", "module")

class TestOne:
    c = pytest.fixture(scope="class")(lambda self: print("c up"))

    def test_1(self, a, b, c): pass
    def test_2(self, a, b, c): pass

def test_3(b): pass
def test_4(): pass
"""


def test_one_slot_sets_up_and_takes_down_in_pytests_own_order(tmp_path: Path) -> None:
    (tmp_path / "test_second.py").write_text("def test_5(): pass", encoding="utf-8")
    plain = run_checks(tmp_path, FIXTURES)
    slotted = run_checks(tmp_path, FIXTURES, "--yakei-slots=1")

    assert "b down" in plain.tests["test_4"]["teardown"]["stdout"]
    assert stages(slotted) == stages(plain)


def test_an_error_in_a_session_finalizer_is_an_error(tmp_path: Path) -> None:
    checks = """
import pytest
@pytest.fixture(scope="session")
def thing():
    yield
    raise RuntimeError("cannot close")
def test_it(thing): pass
"""
    ended = run_checks(tmp_path, checks, "--yakei-slots=3")

    assert ended.outcomes == {"test_it": "error"}
    assert "cannot close" in ended.output

"""In slots, a suite looks as it does in pytest's own loop."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from engine_runs import Run, comparable, run, run_checks

pytestmark = pytest.mark.slow

HABITS = Path(__file__).with_name("engine_habits.py")
STAGES = ("setup", "call", "teardown")


@pytest.fixture(scope="module")
def habits(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Run]:
    """Run the suite of habits, once for each number of slots; 0 is pytest's own loop."""
    runs: dict[int, Run] = {}

    def run_(slots: int) -> Run:
        if slots not in runs:
            folder = tmp_path_factory.mktemp("habits")
            shutil.copy(HABITS, folder / "test_habits.py")
            options = ("--junitxml=junit.xml", "--doctest-modules", "-ra", "--timeout=20")
            runs[slots] = run(folder, f"--yakei-slots={slots}", *options)
        return runs[slots]

    return run_


slots = pytest.mark.parametrize("slots", [1, 4])


def _letterless(stage: dict[str, object]) -> dict[str, object]:
    """Pytest's letter of a unittest's subtest gets into what that test has captured."""
    return {"stdout": "None"} if stage.get("stdout") == "u" else {}


def stages(run: Run) -> dict[str, list[object]]:
    """Return each check's stages without what two runs never share."""
    keys = ("outcome", "longrepr", "stdout", "stderr", "crash")
    return {
        name: [
            {key: comparable(str(test[stage].get(key))) for key in keys} | _letterless(test[stage])
            for stage in STAGES
            if stage in test
        ]
        for name, test in run.tests.items()
    }


def summary(run: Run) -> list[str]:
    """Return the lines of pytest's short summary, and the numbers in its last line."""
    lines = re.findall(
        r"^(?:FAILED|ERROR|SKIPPED|XFAIL|XPASS|SUBFAILED).*", run.output, re.MULTILINE
    )
    (counts,) = re.findall(r"=+ (\d+ .*) in [\d.]+s", run.output)
    return [*sorted(map(comparable, lines)), *sorted(counts.split(", "))]


@slots
def test_every_check_has_the_same_outcome(habits: Callable[[int], Run], slots: int) -> None:
    assert len(habits(slots).outcomes) > 30
    assert habits(slots).outcomes == habits(0).outcomes


@slots
def test_every_stage_tells_the_same(habits: Callable[[int], Run], slots: int) -> None:
    """Outcome, traceback and captured text of setup, call and teardown."""
    assert stages(habits(slots)) == stages(habits(0))


@slots
def test_the_junit_file_is_the_same(habits: Callable[[int], Run], slots: int) -> None:
    assert habits(slots).junit() == habits(0).junit()


@slots
def test_the_terminal_sums_up_the_same(habits: Callable[[int], Run], slots: int) -> None:
    assert summary(habits(slots)) == summary(habits(0))


@slots
def test_the_exit_code_is_the_same(habits: Callable[[int], Run], slots: int) -> None:
    assert habits(slots).exit_code == habits(0).exit_code == 1


@slots
def test_the_warnings_are_the_same(habits: Callable[[int], Run], slots: int) -> None:
    told, plain = (
        sorted(warning["message"] for warning in habits(each).report["warnings"])
        for each in (slots, 0)
    )

    assert "be careful" in plain
    assert told == plain


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


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        pytest.param("pytest.exit('enough', returncode=9)", 9, id="pytest.exit"),
        pytest.param("raise KeyboardInterrupt", 2, id="KeyboardInterrupt"),
    ],
)
def test_a_check_may_end_the_session(tmp_path: Path, statement: str, code: int) -> None:
    checks = f"import pytest\ndef test_it():\n    {statement}\ndef test_other(): pass"

    assert run_checks(tmp_path, checks).exit_code == code
    assert run_checks(tmp_path, checks, "--yakei-slots=1").exit_code == code


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(("-x",), id="-x"),
        pytest.param(("--maxfail=2",), id="--maxfail"),
        pytest.param(("-k", "2 or 3"), id="-k"),
        pytest.param(("--collect-only",), id="--collect-only"),
        pytest.param(("-s",), id="-s runs pytest's own loop"),
        pytest.param(("--setup-plan",), id="--setup-plan"),
        pytest.param(("--durations=3", "-vv"), id="--durations"),
    ],
)
def test_an_option_of_pytest_does_the_same(tmp_path: Path, options: tuple[str, ...]) -> None:
    checks = "\n".join(f"def test_{n}(): assert {n} % 3" for n in range(8))
    plain = run_checks(tmp_path, checks, *options)
    slotted = run_checks(tmp_path, checks, "--yakei-slots=1", *options)

    assert slotted.outcomes == plain.outcomes
    assert slotted.exit_code == plain.exit_code


def test_the_last_failures_are_run_again(tmp_path: Path) -> None:
    checks = "def test_well(): pass\ndef test_ill(): assert 0"
    options = ("-p", "cacheprovider", "-o", f"cache_dir={tmp_path / 'cache'}", "--yakei-slots=2")
    run_checks(tmp_path, checks, *options)
    again = run_checks(tmp_path, checks, *options, "--lf")

    assert again.outcomes == {"test_ill": "failed"}


def test_a_file_that_does_not_import_stops_the_session_as_ever(tmp_path: Path) -> None:
    (tmp_path / "test_broken.py").write_text("import nothing_of_this_name", encoding="utf-8")
    ended = run_checks(tmp_path, "def test_it(): pass", "--yakei-slots=2")

    assert ended.exit_code == 2
    assert ended.outcomes == {}

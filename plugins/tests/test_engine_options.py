"""In slots, pytest's options do what they do in its own loop: one slot prints the same lines."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from engine_runs import beside_others, output_of, run_both

pytestmark = pytest.mark.slow

CHECKS = """
import logging, sys, warnings
import pytest

@pytest.fixture(scope="module")
def thing():
    print("thing up")
    yield
    print("thing down")

def test_0(): print("zero")

@pytest.mark.odd
def test_1(thing): pass

def test_2(thing):
    print("two")
    logging.getLogger("habit").warning("logged")
    assert 2 == 3

@pytest.mark.odd
def test_3(): warnings.warn("careful")

def test_4(): pytest.skip("not now")

@pytest.mark.xfail
def test_5(): assert 0

@pytest.mark.xfail(strict=True)
def test_6(): pass

def test_7(thing, capsys):
    print("seven", file=sys.stderr)
    assert 0

def test_8(): raise ValueError("one line\\nand another")

class TestClass:
    def test_9(self): assert [1, 2] == [1, 3]

def test_sub(subtests):
    for number in range(3):
        with subtests.test(number=number):
            assert number != 1

def test_last(): pass
"""
SAME = [
    "-v",
    "-q -rA -l --tb=long --fold-skipped",
    "-x --disable-warnings -o console_output_style=count",
    "--maxfail=2 --tb=native --color=yes",
    "-k '2 or 3' --tb=line --show-capture=no",
    "-m odd --no-header --no-summary -vv",
    "--deselect test_it.py::test_2 --runxfail --capture=sys",
    "-W error --import-mode=importlib --assert=plain",
    "-o log_cli=true -rA",
    "-p no:logging -p no:warnings -p no:subtests -p no:tmpdir -p no:timeout -p no:faulthandler",
]
OWN_LOOP = [
    "-s",
    "--capture=tee-sys --setup-show",
    "-p no:capture --setup-plan",
    "-p no:reports",
    "--collect-only",
    "--pdb",
]


def words(options: str) -> list[str]:
    return [each.strip("'") for each in re.findall(r"'[^']*'|\S+", options)]


@pytest.mark.parametrize("options", [*SAME, *OWN_LOOP])
def test_one_slot_prints_what_pytests_own_loop_prints(tmp_path: Path, options: str) -> None:
    plain, slotted = run_both(tmp_path, CHECKS, words(options))

    assert output_of(slotted) == output_of(plain)
    assert slotted.exit_code == plain.exit_code
    assert slotted.outcomes == plain.outcomes


@pytest.mark.parametrize("options", ["--durations=2 -vv", "--durations=0 --durations-min=5"])
def test_the_slowest_are_listed(tmp_path: Path, options: str) -> None:
    plain, slotted = (
        [line for line in output_of(run) if "slowest" in line or "durations <" in line]
        for run in run_both(tmp_path, CHECKS, words(options))
    )

    assert slotted == plain
    assert plain


@pytest.mark.parametrize("family", ["xunit1", "xunit2", "legacy"])
def test_each_kind_of_junit_file_is_the_same(tmp_path: Path, family: str) -> None:
    options = ("--junitxml=junit.xml", "-o", f"junit_family={family}", "-o", "junit_logging=all")
    plain, slotted = run_both(tmp_path, CHECKS, options)

    assert slotted.junit() == plain.junit()


def test_xdist_has_the_checks_when_it_is_asked(tmp_path: Path) -> None:
    plain, slotted = run_both(tmp_path, CHECKS, ("-n1",), beside_others())

    assert "created: 1/1 worker" in slotted.output
    assert slotted.outcomes == plain.outcomes

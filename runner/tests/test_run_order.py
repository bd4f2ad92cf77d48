"""In slots, the checks that took longest in the last run begin first; nothing else changes."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from repository import Repository
from stored import record
from suites import BACKUP, QUEUE, depth, run

from yakei.store import Store
from yakei_shared.history import STATE_FILE, read_durations

WRITES = """
    import pathlib, pytest, time

    @pytest.fixture(scope="module")
    def up(request):
        with open("order.txt", "a") as file:
            file.write("up\\n")

    def begin(name):
        with open("order.txt", "a") as file:
            file.write(name + "\\n")
"""
CHECKS = {
    "a": "def test_a(up, n): begin(f'a{n}')",
    "b": "def test_b(up, n): begin(f'b{n}'); time.sleep(1.2 if n == 7 else 0)",
    "c": "def test_c(up, n): begin(f'c{n}'); time.sleep(0.6 if n == 3 else 0)",
}


@pytest.fixture
def suite(repository: Repository) -> Repository:
    """Three modules of ten checks, each with a fixture of its own; two of the checks are long."""
    for name, check in CHECKS.items():
        many = '    @pytest.mark.parametrize("n", range(10))\n    '
        repository.check(name, WRITES + many + check + "\n")
    return repository


def began(suite: Repository) -> list[str]:
    """Run the suite, and return what it wrote."""
    (suite.folder / "order.txt").unlink(missing_ok=True)
    ended = suite.run()
    assert ended.code == 0, ended.stdout
    return (suite.folder / "order.txt").read_text().split()


@pytest.mark.slow
def test_the_longest_checks_of_the_last_run_begin_first(suite: Repository) -> None:
    suite.configure(run="slots = 2")
    first, second = began(suite), began(suite)
    checks = [each for each in second if each != "up"]

    assert checks.index("b7") < 2
    assert checks.index("c3") < 3
    assert sorted(checks) == sorted(each for each in first if each != "up")


@pytest.mark.slow
def test_fixtures_of_a_module_are_hardly_set_up_more_often(suite: Repository) -> None:
    """Each slot sets one up for each module; a long check that goes first may cost two more."""
    suite.configure(run="slots = 2")
    first, second = began(suite).count("up"), began(suite).count("up")

    assert second <= first + 2 * 2


@pytest.mark.slow
def test_pytests_own_loop_keeps_the_order_of_the_files(suite: Repository) -> None:
    suite.configure(run="slots = 1")
    began(suite)

    names = [each for each in began(suite) if each != "up"]
    assert names == [f"{module}{n}" for module in "abc" for n in range(10)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The state of a run whose queue check took two seconds, and another's a tenth."""
    path = tmp_path / "state"
    with Store.open(path) as store:
        record(store, run(replace(depth(1), duration=2.0), replace(depth(1, BACKUP), duration=0.1)))
    return path


def test_the_durations_are_those_of_the_last_run(folder: Path) -> None:
    with Store.open(folder) as store:
        record(store, run(replace(depth(1), duration=3.0), replace(depth(1, BACKUP), duration=0.2)))

    assert read_durations(folder) == {QUEUE: 3.0, BACKUP: 0.2}


def test_a_state_that_is_locked_costs_nothing(folder: Path) -> None:
    with closing(sqlite3.connect(folder / STATE_FILE, isolation_level=None)) as other:
        other.execute("pragma locking_mode = exclusive")
        other.execute("begin exclusive")
        begun = time.monotonic()
        read_durations(folder)

        assert time.monotonic() < begun + 1


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_a_damaged_state_costs_nothing(folder: Path, content: bytes) -> None:
    (folder / STATE_FILE).write_bytes(content)

    assert read_durations(folder) == {}


def test_no_state_costs_nothing(tmp_path: Path) -> None:
    assert read_durations(tmp_path) == {}

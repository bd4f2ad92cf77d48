"""How a session in slots begins, remembers and ends, as pytest's users are used to it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from engine_runs import beside_others, command, run_checks, run_command

pytestmark = pytest.mark.slow


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


CACHED = """
import os, pytest
def test_well(): pass
def test_ill(): assert os.environ.get("MENDED")
def test_new(): pass
"""


@pytest.mark.parametrize(
    ("option", "order"),
    [("--lf", ["test_ill"]), ("--ff", ["test_ill", "test_well", "test_new"])],
)
def test_the_last_failures_come_again(tmp_path: Path, option: str, order: list[str]) -> None:
    options = ("-p", "cacheprovider", "-o", f"cache_dir={tmp_path / 'cache'}", "--yakei-slots=1")
    run_checks(tmp_path, CACHED, *options)
    again = run_checks(tmp_path, CACHED, *options, option)

    assert list(again.outcomes) == order
    assert again.outcomes["test_ill"] == "failed"


def test_stepwise_goes_on_from_the_first_failure(tmp_path: Path) -> None:
    """In slots it would go on from one that failed after it, and the first was lost."""
    cache = ("-p", "cacheprovider", "-o", f"cache_dir={tmp_path / 'cache'}")
    options = (*cache, "-p", "stepwise", "--stepwise", "--yakei-slots=2")
    checks = "def test_ill():\n import time; time.sleep(0.2); assert 0\ndef test_too(): assert 0"
    ended = [run_checks(tmp_path, checks, *options) for _ in range(2)]

    assert [each.outcomes for each in ended] == [{"test_ill": "failed"}] * 2


def test_a_report_that_a_hook_renames_is_told_by_its_new_name(tmp_path: Path) -> None:
    """By its old one it would be nobody's, and a failure would be lost."""
    (tmp_path / "conftest.py").write_text(
        """
import pytest
@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    report.nodeid = f"pretty::{item.name}"
    return report
""",
        encoding="utf-8",
    )
    ended = run_checks(
        tmp_path, "def test_ill(): assert 0\ndef test_well(): pass", "--yakei-slots=2"
    )

    assert ended.exit_code == 1
    assert ended.outcomes == {"test_ill": "failed", "test_well": "passed"}


FOLDERS = """
import pytest

@pytest.mark.parametrize("number", range(3))
def test_one(tmp_path, number):
    (tmp_path / "file").touch()
    assert number != 1
"""


@pytest.mark.parametrize(("policy", "kept"), [("all", 3), ("failed", 1), ("none", 0)])
def test_temporary_folders_are_kept_as_pytest_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str, kept: int
) -> None:
    (tmp_path / "root").mkdir()
    monkeypatch.setenv("PYTEST_DEBUG_TEMPROOT", str(tmp_path / "root"))
    run_checks(tmp_path, FOLDERS, "-o", f"tmp_path_retention_policy={policy}", "--yakei-slots=2")

    assert len(list((tmp_path / "root").rglob("file"))) == kept


FULL = """
import pytest, sys

@pytest.mark.parametrize("number", range(3))
def test_well(number): pass

@pytest.mark.resource("disk", limit=1)
def test_fills_the_disk():
    for _ in range(100):
        sys.stdout.write("x" * (1 << 20))

@pytest.mark.resource("disk", limit=1)
@pytest.mark.parametrize("number", range(3, 10))
def test_still_well(number): print("a word")
"""


@pytest.mark.server
def test_a_disk_that_is_full_costs_the_check_that_filled_it(tmp_path: Path) -> None:
    """What a check prints is in a file of its own, which ends with the check's phase.

    While it is full nobody can print; so those that do have their turn before or after.
    """
    (tmp_path / "small").mkdir()
    (tmp_path / "test_it.py").write_text(FULL, encoding="utf-8")
    small = f'mount -t tmpfs -o size=20m none {tmp_path / "small"}; exec "$@"'
    root = ["--map-root-user"] if os.getuid() else []
    words = ["unshare", *root, "--mount", "sh", "-ec", small, "sh"]
    pytest_ = command(tmp_path, "--yakei-slots=3", "--timeout=20")
    ended = run_command(tmp_path, [*words, *pytest_], {"TMPDIR": str(tmp_path / "small")})
    failed = [name for name, outcome in ended.outcomes.items() if outcome != "passed"]

    assert len(ended.outcomes) == 11
    assert failed == ["test_fills_the_disk"]
    assert "No space left on device" in ended.output


def test_a_file_that_does_not_import_stops_the_session_as_ever(tmp_path: Path) -> None:
    (tmp_path / "test_broken.py").write_text("import nothing_of_this_name", encoding="utf-8")
    ended = run_checks(tmp_path, "def test_it(): pass", "--yakei-slots=2")

    assert ended.exit_code == 2
    assert ended.outcomes == {}


@pytest.mark.parametrize("limit", ["0", "-1"])
def test_a_limit_of_nothing_is_none_as_pytest_timeout_has_it(tmp_path: Path, limit: str) -> None:
    checks = f"""
import pytest, time

@pytest.mark.timeout({limit})
def test_it(): time.sleep(0.3)
"""
    ended = run_checks(tmp_path, checks, "--yakei-slots=2")

    assert ended.outcomes == {"test_it": "passed"}


def test_doctests_of_text_files_run_in_slots(tmp_path: Path) -> None:
    (tmp_path / "test_text.txt").write_text(">>> 1 + 1\n3\n", encoding="utf-8")
    ended = run_checks(tmp_path, "def test_it(): pass", "--doctest-glob=*.txt", "--yakei-slots=2")

    assert sorted(ended.outcomes.values()) == ["failed", "passed"]
    assert "Expected:\n    3\nGot:\n    2" in ended.output


def test_what_a_fork_cannot_bring_along_is_not_there(tmp_path: Path) -> None:
    """A thread of the collection does not run in a check; an object in a property is its text."""
    checks = """
import pathlib, threading, time
thread = threading.Thread(target=time.sleep, args=(60,), daemon=True)
thread.start()

def test_it(record_property):
    record_property("path", pathlib.Path("/srv"))
    assert not thread.is_alive()
"""
    ended = run_checks(tmp_path, checks, "--yakei-slots=1")

    assert ended.outcomes == {"test_it": "passed"}
    assert ended.tests["test_it"]["user_properties"] == [{"path": "/srv"}]


@pytest.mark.parametrize("slots", [0, 2])
def test_asyncio_in_auto_mode_needs_no_marker(tmp_path: Path, slots: int) -> None:
    checks = """
import asyncio, pytest
@pytest.fixture
async def number():
    await asyncio.sleep(0)
    yield 3
async def test_well(number): assert number == 3
async def test_ill(number): assert number == 4
async def test_hangs(): await asyncio.sleep(100)
async def test_is_stuck(): sum(range(10**13))
"""
    (tmp_path / "test_it.py").write_text(checks, encoding="utf-8")
    options = ("-o", "asyncio_mode=auto", "--timeout=1", f"--yakei-slots={slots}")
    chosen = ("-k", "not is_stuck") if not slots else ()
    ended = run_command(tmp_path, command(tmp_path, *options, *chosen), beside_others())

    passed = [name for name, outcome in ended.outcomes.items() if outcome == "passed"]
    assert passed == ["test_well"]
    assert len(ended.outcomes) == (4 if slots else 3)


def test_where_a_container_forbids_what_slots_need_there_are_none(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        """
import errno, os
def forbidden(*_): raise PermissionError(errno.EPERM, "Operation not permitted")
os.pidfd_open = forbidden
""",
        encoding="utf-8",
    )
    ended = run_checks(tmp_path, "def test_it(): pass", "--yakei-slots=2")

    assert ended.outcomes == {"test_it": "passed"}


FUNC_ONLY = """
import itertools, pytest, signal, time

@pytest.fixture
def slow():
    time.sleep(2.5)

@pytest.mark.timeout(1, func_only=True)
def test_waits_for_its_fixture(slow): pass

@pytest.mark.timeout(1, func_only=True)
def test_loops_in_c(slow):
    any(itertools.repeat(0))

@pytest.mark.timeout(1, func_only=True)
def test_goes_on_with_subtests(subtests):
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    for _ in range(30):
        with subtests.test():
            time.sleep(0.5)
"""


def test_a_limit_of_the_call_alone_is_none_of_its_fixtures(tmp_path: Path) -> None:
    ended = run_checks(tmp_path, FUNC_ONLY, "--yakei-slots=2")

    assert ended.outcomes == {
        "test_waits_for_its_fixture": "passed",
        "test_loops_in_c": "failed",
        "test_goes_on_with_subtests": "failed",
    }


TWICE = """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for _ in range(2):
        runtestprotocol(item, nextitem=nextitem)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True
"""
FAILS_ONCE = """
import pytest
times = []

@pytest.fixture
def ends_badly_at_first():
    yield
    times.append(1)
    assert len(times) == 2

def test_it(ends_badly_at_first): pass
"""


def test_no_report_of_a_check_that_a_plugin_runs_twice_is_lost(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(TWICE, encoding="utf-8")
    plain, slotted = (run_checks(tmp_path, FAILS_ONCE, *way) for way in ((), ("--yakei-slots=2",)))

    assert "1 error" in plain.output
    assert (slotted.exit_code, slotted.output.count("1 error")) == (plain.exit_code, 1)

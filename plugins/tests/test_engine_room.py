"""In slots, a small limit of open files costs speed at most."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from engine_runs import Run, command, run_command

pytestmark = pytest.mark.slow

CHECKS = """
import pathlib, resource, time, pytest

here = pathlib.Path(__file__).parent

@pytest.mark.parametrize("number", range(20))
def test_it(number):
    (here / f"begun-{number}").touch()
    if ALL_AT_ONCE:
        while len(list(here.glob("begun-*"))) < 20:
            time.sleep(0.01)
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == EXPECTED
"""


def run_limited(folder: Path, limited: str, *, all_at_once: bool, limit: int = 64) -> Run:
    """Run twenty checks in as many slots under a limit; without it they would take 200."""
    checks = CHECKS.replace("ALL_AT_ONCE", str(all_at_once)).replace("EXPECTED", str(limit))
    (folder / "test_it.py").write_text(checks, encoding="utf-8")
    words = command(folder, "--yakei-slots=20", "--timeout=20")
    return run_command(folder, ["sh", "-c", f'{limited}; exec "$@"', "sh", *words])


def test_a_limit_that_may_be_raised_is_raised_and_no_check_sees_that(tmp_path: Path) -> None:
    ended = run_limited(tmp_path, "ulimit -S -n 64", all_at_once=True)

    assert list(ended.outcomes.values()) == ["passed"] * 20


@pytest.mark.parametrize("limit", [40, 64])
def test_where_it_may_not_fewer_slots_do_the_same(tmp_path: Path, limit: int) -> None:
    ended = run_limited(tmp_path, f"ulimit -n {limit}", all_at_once=False, limit=limit)

    assert list(ended.outcomes.values()) == ["passed"] * 20
    assert "not all slots can begin" not in ended.output


@pytest.mark.parametrize(
    ("limit", "slots"),
    [
        pytest.param("-n 20", 1, id="there is always one"),
        pytest.param("-n 64", 2, id="few"),
        pytest.param("-n 400", 20, id="more than are wanted"),
        pytest.param("-S -n 64", 20, id="it may be raised"),
    ],
)
def test_there_are_as_many_slots_as_find_room(tmp_path: Path, limit: str, slots: int) -> None:
    asks = "from pytest_yakei.engine.room import room_for\nwith room_for(20) as n: print(n)"
    words = ["sh", "-c", f'ulimit {limit}; exec "$@"', "sh", sys.executable, "-c", asks]

    assert run_command(tmp_path, words).output == f"{slots}\n"


def test_no_check_sees_it_after_the_nursery_was_killed(tmp_path: Path) -> None:
    checks = """
import os, pathlib, pytest, resource, signal
def parent_of(pid):
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
def test_kills():
    os.kill(parent_of(os.getppid()), signal.SIGKILL)
    os._exit(1)
@pytest.mark.parametrize("number", range(4))
def test_it(number):
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 64
"""
    (tmp_path / "test_it.py").write_text(checks, encoding="utf-8")
    words = command(tmp_path, "--yakei-slots=16", "-k", "test_kills or test_it")
    ended = run_command(tmp_path, ["sh", "-c", 'ulimit -S -n 64; exec "$@"', "sh", *words])

    assert ended.outcomes.pop("test_kills") == "failed"
    assert [name for name, each in ended.outcomes.items() if each != "passed"] == ["test_kills"]
    assert len(ended.outcomes) == 5

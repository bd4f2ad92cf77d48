"""In slots, a small limit of open files costs speed at most."""

from __future__ import annotations

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
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 64
"""


def run_limited(folder: Path, limit: str, *, all_at_once: bool) -> Run:
    """Run twenty checks in as many slots under a limit; without it they would take 200."""
    checks = CHECKS.replace("ALL_AT_ONCE", str(all_at_once))
    (folder / "test_it.py").write_text(checks, encoding="utf-8")
    words = command(folder, "--yakei-slots=20", "--timeout=20")
    return run_command(folder, ["sh", "-c", f'{limit}; exec "$@"', "sh", *words])


def test_a_limit_that_may_be_raised_is_raised_and_no_check_sees_that(tmp_path: Path) -> None:
    ended = run_limited(tmp_path, "ulimit -S -n 64", all_at_once=True)

    assert list(ended.outcomes.values()) == ["passed"] * 20


@pytest.mark.parametrize("limit", [40, 64])
def test_where_it_may_not_fewer_slots_do_the_same(tmp_path: Path, limit: int) -> None:
    ended = run_limited(tmp_path, f"ulimit -n {limit}", all_at_once=False)

    assert len(ended.outcomes) == 20
    assert "Too many open files" not in ended.output

"""Pids are counted anew in each container, and some pid files outlive a reboot."""

from __future__ import annotations

from pathlib import Path

import pytest
from bystanders import Start, asleep, run_python, running
from forged import judged
from servers.processes import run

pytestmark = pytest.mark.server

__all__ = ["asleep"]

OUTSIDE_CODE = """
import sys
from pathlib import Path
from types import SimpleNamespace
from pytest_yakei.errors import CannotTell
from pytest_yakei.probes.pidfiles import Settings, probe
settings = Settings(path=Path(sys.argv[1]), program="sleep", port=int(sys.argv[2]))
try:
    print(probe(SimpleNamespace(name="main", settings=settings, memory={})).verdict())
except CannotTell as error:
    print(error)
"""


def test_a_container_cannot_tell_about_a_process_outside(
    asleep: Start, tmp_path: Path, silent_port: int
) -> None:
    path = tmp_path / "sleep.pid"
    path.write_text(str(asleep().pid))
    inside = ["unshare", "-pf", "--mount-proc"]

    said = run_python(OUTSIDE_CODE, path, silent_port, through=inside)

    assert "names a pid that this container does not have" in said


def test_a_service_that_is_down_is_down_in_a_container_too(
    asleep: Start, tmp_path: Path, closed_port: int
) -> None:
    path = tmp_path / "sleep.pid"
    path.write_text(str(asleep().pid))
    inside = ["unshare", "-pf", "--mount-proc"]

    assert run_python(OUTSIDE_CODE, path, closed_port, through=inside) == "Verdict.DOWN"


def test_a_pid_from_inside_a_container_cannot_be_judged_outside(
    tmp_path: Path, silent_port: int
) -> None:
    """The file says 1; out here that is somebody else."""
    path = tmp_path / "sleep.pid"
    path.write_text("1\n")
    with running(["unshare", "-pf", "--kill-child", "sleep", "600"]):
        said = run_python(OUTSIDE_CODE, path, silent_port)

    assert "says 1, the pid inside a container of what is pid" in said


def test_a_file_that_a_reboot_would_clear_is_in_memory(tmp_path: Path) -> None:
    run(["mount", "-t", "tmpfs", "tmpfs", tmp_path])
    try:
        left = judged(tmp_path / "a.pid", program="a", cleared_at_boot=True).left_by_a_reboot()
    finally:
        run(["umount", tmp_path])

    assert not left


def test_a_file_that_survives_a_reboot_is_told_where_that_is_asked(tmp_path: Path) -> None:
    asked = judged(tmp_path / "a.pid", program="a", cleared_at_boot=True)

    assert str(asked.left_by_a_reboot()).startswith("pid file survives a reboot (")
    assert not judged(tmp_path / "a.pid", program="a").left_by_a_reboot()

"""Having the pid is not being the service: program, instance and birth must be right too."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from bystanders import Start, asleep, context_of, reborn, run_as_nobody
from bystanders import running as started
from forged import Forge, forge, judged, written_at
from servers.processes import private_folder

from pytest_yakei.probes.pidfiles import PidFile, Settings, Verdict

__all__ = ["asleep", "forge"]

LONG_AGO = datetime(2012, 6, 10, 11, 2, tzinfo=UTC)


def test_without_a_port_another_instance_is_looked_for(asleep: Start, forge: Forge) -> None:
    asleep("httpd-of-ours")

    pidfile = judged(forge(asleep().pid), program="httpd-of-ours")

    assert pidfile.verdict() is Verdict.MISDIRECTED


@pytest.mark.parametrize("name", ["ev) il S 1", "a program with a very long name"])
def test_a_program_may_be_called_anything(asleep: Start, forge: Forge, name: str) -> None:
    path = forge(asleep(name).pid)

    assert judged(path, program=name).verdict() is Verdict.RUNNING
    assert f"is {name}, not httpd" in str(judged(path).problems())


def test_instances_of_one_program_are_told_apart_by_their_command_line(
    asleep: Start, forge: Forge, closed_port: int
) -> None:
    pid = asleep("httpd", arguments=["600", "0.25"]).pid

    assert judged(forge(pid), command=r"600 0\.25$").verdict() is Verdict.RUNNING
    text = str(judged(forge(pid), command=r"600 0\.5$", port=closed_port).problems())
    assert text.startswith(f"pid {pid} is another httpd; start will refuse\n")


def test_instances_are_told_apart_by_the_folder_they_work_in(forge: Forge, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir()
    (tmp_path / "link").symlink_to(ours)
    with started(["sleep", "600"], cwd=ours) as process:
        path = forge(process.pid)

        assert judged(path, program="sleep", data_directory=tmp_path / "link").verdict() is (
            Verdict.RUNNING
        )
        assert "it works in" in str(judged(path, program="sleep", data_directory=theirs).problems())


def test_a_process_younger_than_the_file_did_not_write_it(
    asleep: Start, forge: Forge, closed_port: int
) -> None:
    pid = asleep("httpd").pid
    path = written_at(forge(pid), LONG_AGO)

    text = str(judged(path, port=closed_port).problems())

    assert text.startswith(f"pid {pid} is another httpd; start will refuse\n")
    assert ", before the last boot, says" in text
    assert "after the file was written 2012-06-10" in text


def test_a_clock_that_was_set_makes_no_stranger_of_a_known_process(
    asleep: Start, forge: Forge, tmp_path: Path
) -> None:
    """All start times move with the clock, and times of files do not."""
    path, memory = forge(asleep("httpd").pid), {}
    assert judged(path, memory).verdict() is Verdict.RUNNING
    later = tmp_path / "proc"
    later.mkdir()
    for entry in (str(os.getpid()), path.read_text().strip(), "sys", "self"):
        (later / entry).symlink_to(Path("/proc", entry))
    shifted = int(Path("/proc/stat").read_text().split("btime ")[1].split()[0]) + 3600
    (later / "stat").write_text(f"btime {shifted}\n")
    settings = Settings(path=path, program="httpd")

    assert PidFile(context_of(settings, memory=memory), later).verdict() is Verdict.RUNNING
    assert PidFile(context_of(settings), later).verdict() is Verdict.POISONED


@pytest.mark.server
def test_a_pid_that_was_given_anew_is_a_stranger(
    asleep: Start, forge: Forge, closed_port: int
) -> None:
    """Not a forged file: the service died, and its own pid went to somebody else."""
    service = asleep("httpd")
    path = forge(service.pid)
    assert judged(path).verdict() is Verdict.RUNNING
    service.kill()
    service.wait()

    with reborn(service.pid, ["sleep", "600"]):
        pidfile = judged(path, port=closed_port)

        assert pidfile.verdict() is Verdict.POISONED
        assert f"pid {service.pid} is sleep, not httpd" in str(pidfile.problems())


@pytest.mark.server
def test_a_pid_that_went_to_the_same_program_is_a_stranger(asleep: Start, forge: Forge) -> None:
    service = asleep("httpd")
    path = written_at(forge(service.pid), datetime.now(UTC) - timedelta(minutes=1))
    service.kill()
    service.wait()

    with reborn(service.pid, [path.parent / "programs/httpd", "600"]):
        assert judged(path).verdict() is Verdict.POISONED


@pytest.mark.server
def test_a_process_of_another_user_is_alive_and_judged() -> None:
    """The user may not signal root's process: EPERM, which means that it lives."""
    code = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from pytest_yakei.probes.pidfiles import Settings, probe
path, program, port = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
settings = Settings(path=path, program=program, port=port)
print(probe(SimpleNamespace(name="main", settings=settings, memory={})).problems())
"""
    with private_folder(None) as folder, started(["sleep", "600"]) as process:
        (folder / "service.pid").write_text(f"{process.pid}\n")
        arguments = (folder / "service.pid", "svlogd")
        said = run_as_nobody(code, folder, *arguments, 1)
        own = run_as_nobody(code, folder, folder / "service.pid", "sleep", 1)

    assert said.startswith(f"pid {process.pid} is sleep, not svlogd; start will refuse")
    assert own.startswith(f"sleep (pid {process.pid}) does not answer")


@pytest.mark.server
def test_a_file_that_may_not_be_read_is_no_verdict() -> None:
    code = """
import sys
from pathlib import Path
from pytest_yakei.errors import CannotTell
from pytest_yakei.probes.pidfiles.content import read
try:
    print(read(Path(sys.argv[1])))
except CannotTell as error:
    print(error)
"""
    with private_folder(None) as folder:
        (folder / "httpd.pid").touch(mode=0o600)
        said = run_as_nobody(code, folder, folder / "httpd.pid")

    assert said.endswith("httpd.pid cannot be read as user nobody: Permission denied")

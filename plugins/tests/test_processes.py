"""What /proc tells about a process, and what it keeps to itself."""

from __future__ import annotations

import os
import signal
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from bystanders import NOBODYS_PID, Start, asleep, run_as_nobody, run_python, wait_stopped
from hypothesis import given
from hypothesis import strategies as st
from servers.processes import private_folder, wait_until

from pytest_yakei.errors import CannotTell
from pytest_yakei.probes.mounts import parse_mounts, place_of
from pytest_yakei.probes.processes import (
    boot_time,
    everybody,
    in_initial_namespace,
    look,
    parse_boot_time,
    parse_stat,
    printable,
)

__all__ = ["asleep"]

STAT = "4711 ({name}) S 1 4711 4711 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 3 0 987654 5000 200 18446"


@pytest.mark.parametrize("name", ["sleep", "ev) il S 1", "(sd-pam)", "a b", ") R 2 (", ""])
def test_a_process_may_be_called_anything(name: str) -> None:
    stat = parse_stat(STAT.format(name=name))

    assert (stat.pid, stat.name, stat.state, stat.parent) == (4711, name, "S", 1)
    assert (stat.threads, stat.ticks) == (3, 987654)


@given(st.text(max_size=15))
def test_no_name_confuses_the_other_fields(name: str) -> None:
    assert parse_stat(STAT.format(name=name)).ticks == 987654


def test_the_boot_time_is_in_the_kernels_statistics() -> None:
    assert parse_boot_time("cpu 1 2\nbtime 1262304000\n") == datetime(2010, 1, 1, tzinfo=UTC)


def test_a_running_process_is_known_by_program_start_and_user(asleep: Start) -> None:
    process = look(asleep("ev) il S 1").pid)

    assert process
    assert process.called == "ev) il S 1"
    assert process.command_line.endswith("ev) il S 1 600")
    assert abs(process.started - datetime.now(UTC)) < timedelta(seconds=5)
    assert os.getuid() in process.uids


def test_a_long_name_is_told_in_full(asleep: Start) -> None:
    """The kernel keeps 15 bytes of it; the program's file has the rest."""
    process = look(asleep("a-program-with-a-long-name").pid)

    assert process
    assert process.called == "a-program-with-a-long-name"
    assert "a-program-with-" in process.names


def test_control_characters_of_a_name_do_not_reach_the_message() -> None:
    assert printable("ev\x1b[31mil\n\u202e") == "ev?[31mil??"


def test_a_pid_that_nobody_has_is_nobody() -> None:
    assert look(NOBODYS_PID) is None


def test_a_zombie_is_dead() -> None:
    """`kill -0` says that it lives."""
    with subprocess.Popen(["true"]) as ended:
        wait_until(lambda: (found := look(ended.pid)) and found.stat.state == "Z", "a zombie")
        zombie = look(ended.pid)

        assert zombie
        assert zombie.is_dead


def test_a_leader_that_ended_before_its_threads_is_alive() -> None:
    code = """
import ctypes, threading, time
threading.Thread(target=time.sleep, args=(600,)).start()
ctypes.CDLL(None).pthread_exit(None)
"""
    with subprocess.Popen(["python3", "-c", code], stderr=subprocess.DEVNULL) as leaderless:
        wait_until(
            lambda: (found := look(leaderless.pid)) and found.stat.state == "Z", "leader's end"
        )
        process = look(leaderless.pid)
        leaderless.kill()

    assert process
    assert not process.is_dead


def test_a_stopped_process_is_known(asleep: Start) -> None:
    stopped = asleep()
    stopped.send_signal(signal.SIGSTOP)
    wait_stopped(stopped.pid)

    process = look(stopped.pid)

    assert process
    assert process.is_stopped
    assert not process.is_dead


def test_everybody_is_all_but_ourselves(asleep: Start) -> None:
    pids = {process.pid for process in everybody()}

    assert asleep().pid not in pids
    assert os.getppid() in pids
    assert os.getpid() not in pids


def test_another_proc_can_be_read(tmp_path: Path) -> None:
    """As a container does with the machine's, mounted for it."""
    folder = tmp_path / "4711"
    folder.mkdir()
    (tmp_path / "stat").write_text("btime 1262304000\n")
    (folder / "stat").write_text(STAT.format(name="httpd"))
    (folder / "status").write_text("Name:\thttpd\nUid:\t33\t33\t0\t33\nNSpid:\t4711\t7\n")
    (folder / "cmdline").write_bytes(b"/usr/sbin/httpd\0-k\0start\0")

    process = look(4711, tmp_path)

    assert process
    assert process.inner_pids == (4711, 7)
    assert process.uids == {33, 0}
    assert process.command_line == "/usr/sbin/httpd -k start"


def test_without_proc_nothing_can_be_told(tmp_path: Path) -> None:
    with pytest.raises(CannotTell, match=r"is all of .* mounted"):
        boot_time(tmp_path)


def test_a_mount_point_may_have_spaces() -> None:
    line = r"36 35 98:0 /m1 /mnt/a\040b rw,noatime master:1 - ext3 /dev/root rw"

    mount = parse_mounts(line)[36]

    assert (mount.device, mount.kind, mount.point) == ((98, 0), "ext3", Path("/mnt/a b"))


def test_a_file_has_the_place_that_the_kernel_gives_its_locks(tmp_path: Path) -> None:
    assert place_of(tmp_path).inode == tmp_path.stat().st_ino


@pytest.mark.server
@pytest.mark.parametrize("option", ["hidepid=1", "hidepid=2"])
def test_a_hidden_process_is_not_called_dead(option: str) -> None:
    """The user sees no /proc/1, or may not read it; only kill tells that it is there."""
    code = """
from pytest_yakei.errors import CannotTell
from pytest_yakei.probes.processes import look
try:
    print(look(1))
except CannotTell as error:
    print(error)
"""
    remount = f'mount -t proc -o {option} proc /proc && exec "$@"'

    with private_folder(None) as folder:
        said = run_as_nobody(code, folder, through=["unshare", "-m", "sh", "-c", remount, "sh"])

    assert "pid 1 exists, but /proc hides it from user nobody" in said


@pytest.mark.server
def test_a_container_knows_that_it_is_one() -> None:
    code = "from pytest_yakei.probes.processes import *; print(in_initial_namespace())"

    said = run_python(code, through=["unshare", "-pf", "--mount-proc"])

    assert said == "False"
    assert in_initial_namespace()

"""What the kernel tells about processes, and families that nobody escapes from."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from servers.processes import wait_gone, wait_until

from yakei.execution.family import Family
from yakei.execution.leaving import Terminated, terminating
from yakei.execution.processes import (
    Deadline,
    command_line,
    every_pid,
    read_process,
    started_by,
)
from yakei_shared.signals import signal_name

NOBODY = 1 << 23
"""A pid above the highest that Linux gives."""


@pytest.fixture
def handlers() -> Iterator[None]:
    """Puts back what a test does to SIGTERM."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def family_of(script: str) -> Family:
    """Return a shell script to start; its output is of no interest."""
    return Family(["sh", "-c", script], output=subprocess.DEVNULL)


def await_members(family: Family, *commands: str) -> None:
    """Return when the family consists of these commands."""
    wanted = sorted(commands)
    wait_until(
        lambda: sorted(command_line(each.pid) for each in family.members()) == wanted,
        f"a family of {wanted}",
    )


def test_a_process_whose_name_looks_like_the_fields_after_it_is_read(tmp_path: Path) -> None:
    program = tmp_path / "a) Z 1 (b"
    shutil.copy(shutil.which("sleep") or "sleep", program)
    process = subprocess.Popen([program, "60"])
    try:
        found = read_process(process.pid)
    finally:
        process.kill()
        process.wait()

    assert found
    assert (found.parent, found.state == "Z") == (os.getpid(), False)


def test_a_pid_that_nobody_has_is_no_process() -> None:
    assert read_process(NOBODY) is None
    assert command_line(NOBODY) == ""


def test_the_age_of_a_process_is_the_time_since_its_start() -> None:
    begun = time.monotonic()
    process = subprocess.Popen(["sleep", "60"])
    found = read_process(process.pid)
    age = found.age if found else -1.0
    process.kill()
    process.wait()

    # /proc counts in hundredths of a second.
    assert -0.02 <= age <= time.monotonic() - begun + 0.02


def test_a_long_command_line_is_cut_to_one_line() -> None:
    process = subprocess.Popen(["sh", "-c", "sleep 60\n#" + "x" * 500])
    wait_until(lambda: command_line(process.pid).startswith("sh"), "the shell")
    text = command_line(process.pid)
    process.kill()
    process.wait()

    assert (len(text), text[-1], "\n" in text) == (200, "…", False)


def test_the_check_that_started_a_process_is_known_by_the_mark_pytest_leaves() -> None:
    environment = {**os.environ, "PYTEST_CURRENT_TEST": "test_x.py::test_y[a (b)] (call)"}
    process = subprocess.Popen(["sleep", "60"], env=environment)
    try:
        wait_until(lambda: started_by(process.pid) == "test_x.py::test_y[a (b)]", "the check")
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("signum", "name"),
    [
        pytest.param(11, "SIGSEGV", id="a usual one by its name"),
        pytest.param(40, "signal 40", id="a real-time one by number"),
    ],
)
def test_signals_are_named(signum: int, name: str) -> None:
    assert signal_name(signum) == name


def test_a_deadline_that_has_passed_leaves_no_time() -> None:
    assert Deadline.after(timedelta(seconds=-1)).left() == 0.0


def test_sigterm_is_raised_with_its_number(handlers: None) -> None:
    with pytest.raises(Terminated) as ended, terminating():
        os.kill(os.getpid(), signal.SIGTERM)

    assert ended.value.signum == signal.SIGTERM


def test_a_second_sigterm_does_not_interrupt_the_ending(handlers: None) -> None:
    ending = []
    with suppress(Terminated), terminating():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            ending.append("done")

    assert ending == ["done"]


def test_a_signal_that_is_ignored_stays_ignored(handlers: None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

    with terminating():
        os.kill(os.getpid(), signal.SIGTERM)

    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN


def test_an_orphan_with_a_session_of_its_own_is_still_of_the_family() -> None:
    with family_of("setsid sleep 61 & exit 0") as family:
        wait_until(lambda: family.poll() == 0, "the end of the script")
        await_members(family, "sleep 61")
        family.end(5)

        assert family.members() == []


def test_whoever_ignores_sigterm_is_killed() -> None:
    with family_of("trap '' TERM; sleep 62 & wait; while :; do sleep 62; done") as family:
        wait_until(lambda: len(family.members()) == 2, "both sleeps")
        family.end(0.1)

        assert family.poll() == -signal.SIGKILL


def test_a_stopped_process_is_ended_without_a_kill() -> None:
    with family_of("kill -STOP $$; exit 3") as family:
        wait_until(lambda: [each.state for each in family.members()] == ["T"], "state T")
        family.end(5)

        assert family.poll() == -signal.SIGTERM


def test_dead_orphans_are_reaped() -> None:
    with family_of("(sleep 0.01 & echo $! >&2) ; exit 0") as family:
        wait_until(lambda: family.poll() == 0 and not family.members(), "the end of all")
        family.members()

        children = [each for pid in every_pid() if (each := read_process(pid))]
        dead = [each for each in children if each.parent == os.getpid() and each.state == "Z"]

        assert not dead


def test_older_children_of_ours_are_not_of_the_family() -> None:
    older = subprocess.Popen(["sleep", "63"])
    try:
        with family_of("exec sleep 64") as family:
            await_members(family, "sleep 64")
            family.end(5)
        code = older.poll()
    finally:
        older.kill()
        older.wait()

    assert code is None


def test_an_exception_ends_the_family() -> None:
    family = family_of("sleep 65")
    with suppress(Terminated), family:
        raise Terminated(signal.SIGTERM)

    assert family.members() == []


def test_a_signal_that_comes_while_the_program_starts_ends_it_too(handlers: None) -> None:
    """The program itself sends it, as early as can be."""
    for _ in range(20):
        family = family_of("kill $PPID; exec sleep 76")
        with suppress(Terminated), terminating(), family:
            family.wait(60)

        assert family.poll() == -signal.SIGTERM


def test_the_family_dies_with_us(tmp_path: Path) -> None:
    """Even when we are killed, which nobody can prepare for."""
    script = (
        "from yakei.execution.family import Family\n"
        "import subprocess, sys\n"
        "with Family(['sleep', '66'], output=subprocess.DEVNULL) as family:\n"
        "    print(family.process.pid, flush=True)\n"
        "    family.wait(60)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    runner = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, env=environment
    )
    assert runner.stdout
    pid = int(runner.stdout.readline())
    runner.kill()
    runner.communicate()

    wait_gone(pid)


def test_whatever_fails_at_the_end_costs_neither_the_rest_nor_the_exit_code() -> None:
    """What `concurrent.futures` registers with `threading` comes before `atexit`."""
    script = (
        "from yakei.execution.leaving import leave\n"
        "import atexit, threading\n"
        "atexit.register(print, 'the rest')\n"
        "threading._register_atexit(lambda: 1 / 0)\n"
        "leave(3)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", script]
    left = subprocess.run(command, capture_output=True, check=False, env=environment)

    assert (left.returncode, left.stdout, left.stderr) == (3, b"the rest\n", b"")


def test_what_cannot_be_started_is_an_error() -> None:
    family = Family(["/no/such/program"], output=subprocess.DEVNULL)
    with pytest.raises(FileNotFoundError), family:
        pass

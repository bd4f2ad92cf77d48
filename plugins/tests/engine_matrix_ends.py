"""Checks that crash, leave something running and make a mess: half of the engine's worst day."""

# ruff: noqa: T201 - what a check prints is a case
from __future__ import annotations

import ctypes
import locale
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

MARKER = os.environ.get("MATRIX_MARKER", "")
FOREVER = 1000
MOST_PROCESSES = 100


def test_child_that_holds_stdout() -> None:
    subprocess.Popen(["sh", "-c", f"sleep {FOREVER} # {MARKER}"])


def test_child_that_ignores_term() -> None:
    command = f"trap '' TERM; echo ready; while :; do sleep 1; done # {MARKER}"
    child = subprocess.Popen(["sh", "-c", command], stdout=subprocess.PIPE)
    assert child.stdout
    child.stdout.readline()


def test_daemon_that_gets_away() -> None:
    command = f"setsid sh -c 'sleep {FOREVER} # {MARKER}' &"
    subprocess.run(["sh", "-c", command], check=True)


def test_thread_that_never_ends() -> None:
    threading.Thread(target=time.sleep, args=(FOREVER,), name="endless").start()


@pytest.mark.parametrize("code", [0, 7])
def test_exit(code: int) -> None:
    os._exit(code)


def test_abort() -> None:
    print("before the abort")
    os.abort()


def test_segfault() -> None:
    ctypes.string_at(0)


def test_exit_in_a_thread() -> None:
    thread = threading.Thread(target=sys.exit)
    thread.start()
    thread.join()


def test_exit_of_the_interpreter() -> None:
    sys.exit(3)


@pytest.fixture
def crashing_setup() -> None:
    os._exit(3)


@pytest.fixture
def crashing_teardown() -> Iterator[None]:
    yield
    os.abort()


def test_crash_in_setup(crashing_setup: None) -> None: ...


def test_crash_in_teardown(crashing_teardown: None) -> None: ...


def test_kills_its_parent() -> None:
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(FOREVER)


def test_stops_its_parent() -> None:
    os.kill(os.getppid(), signal.SIGSTOP)
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    time.sleep(FOREVER)


def test_kills_its_group() -> None:
    os.killpg(0, signal.SIGKILL)


def test_fork_bomb() -> None:
    """Each process forks for ever; a token for each keeps the bomb within a limit."""
    tokens, give = os.pipe()
    os.write(give, bytes(MOST_PROCESSES))
    while os.read(tokens, 1):
        os.fork()


def test_eats_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (300 << 20, resource.RLIM_INFINITY))
    eaten = []
    while True:
        eaten.append(bytearray(1 << 24))


@pytest.mark.timeout(10)  # a busy disk
def test_prints_a_hundred_megabytes() -> None:
    for _ in range(100):
        sys.stdout.write("x" * (1 << 20))


@pytest.mark.timeout(10)  # a busy disk
def test_writes_without_end() -> None:
    line = b"y" * (1 << 20)
    while True:
        os.write(1, line)


def test_closes_every_descriptor() -> None:
    os.closerange(0, 1024)


def test_closes_all_and_opens_others(tmp_path: Path) -> None:
    os.closerange(3, 1024)
    for number in range(40):
        (tmp_path / str(number)).open("w").fileno()
    os.open(tmp_path / "last", os.O_CREAT | os.O_RDWR)
    for number in range(40):
        os.open(tmp_path / str(number), os.O_RDWR)


def test_changes_directory() -> None:
    os.chdir("/")


def test_changes_umask() -> None:
    os.umask(0o777)


def test_changes_locale() -> None:
    locale.setlocale(locale.LC_ALL, "C.UTF-8")


def test_changes_signal_handlers() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@pytest.mark.parametrize("number", range(5, 10))
def test_still_well(number: int, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert Path.cwd() == Path(__file__).parent


@pytest.fixture(scope="session")
def hanging_finalizer() -> Iterator[None]:
    yield
    ctypes.PyDLL(None).sleep(FOREVER)


def test_session_finalizer(hanging_finalizer: None) -> None:
    """The last of all, and so the last of its process, which is told what its fixtures do."""

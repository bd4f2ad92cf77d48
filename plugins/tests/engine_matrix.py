"""Checks that hang, crash and make a mess, among ten that are well: the engine's worst day.

The runner of this suite gives the addresses of servers that never answer in the environment.
"""

# ruff: noqa: T201 - what a check prints is a case
from __future__ import annotations

import contextlib
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
import requests

MARKER = os.environ.get("MATRIX_MARKER", "")
FOREVER = 1000


def url(name: str) -> str:
    return f"http://127.0.0.1:{os.environ[name]}/"


@pytest.fixture
def hanging_setup() -> None:
    time.sleep(FOREVER)


@pytest.fixture
def hanging_teardown() -> Iterator[None]:
    yield
    time.sleep(FOREVER)


@pytest.fixture
def stubborn_teardown() -> Iterator[None]:
    yield
    ctypes.PyDLL(None).sleep(FOREVER)


@pytest.mark.parametrize("number", range(5))
def test_well(number: int) -> None:
    assert Path.cwd() == Path(__file__).parent


def test_sleep() -> None:
    time.sleep(FOREVER)


def test_silent_server() -> None:
    requests.get(url("SILENT"), timeout=None)


def test_slow_server() -> None:
    requests.get(url("SLOW"), timeout=None)


def test_server_that_never_accepts() -> None:
    requests.get(url("FULL"), timeout=None)


def test_libpq() -> None:
    import psycopg2

    psycopg2.connect(host="127.0.0.1", port=os.environ["SILENT"])


def test_pymysql() -> None:
    import pymysql

    pymysql.connect(host="127.0.0.1", port=int(os.environ["SILENT"]), connect_timeout=FOREVER)


def test_c_loop() -> None:
    print("before the loop")
    sum(range(10**13))


def test_blocked_signals() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    time.sleep(FOREVER)


def test_ignored_signals() -> None:
    for number in {*signal.valid_signals()} - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_IGN)
    time.sleep(FOREVER)


def test_python_loop() -> None:
    while True:
        pass


def test_swallower() -> None:
    while True:
        try:
            time.sleep(FOREVER)
        except BaseException:  # noqa: BLE001 - this is the case
            continue


def test_fifo(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "fifo").read_text()


def test_stops_itself() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def test_child_that_holds_a_pipe() -> None:
    command = f"(sleep {FOREVER} & sleep {FOREVER}) # {MARKER}"
    subprocess.run(["sh", "-c", command], capture_output=True, check=False)


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


def test_setup(hanging_setup: None) -> None: ...


def test_teardown(hanging_teardown: None) -> None: ...


def test_stubborn_teardown(stubborn_teardown: None) -> None: ...


def test_import() -> None:
    Path("hanging_module.py").write_text(f"import time; time.sleep({FOREVER})")
    sys.path.insert(0, str(Path.cwd()))
    import hanging_module  # noqa: F401


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


def test_kills_its_parent() -> None:
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(FOREVER)


def test_kills_its_group() -> None:
    os.killpg(0, signal.SIGKILL)


def test_forks() -> None:
    """Two hundred processes, some of which have children; a bomb within a limit."""
    for _ in range(100):
        if not os.fork():
            os.fork()
            time.sleep(FOREVER)
    time.sleep(FOREVER)


def test_eats_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (300 << 20, resource.RLIM_INFINITY))
    eaten = []
    while True:
        eaten.append(bytearray(1 << 24))


@pytest.mark.timeout(10)  # a busy disk
def test_prints_a_hundred_megabytes() -> None:
    for _ in range(100):
        sys.stdout.write("x" * (1 << 20))


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

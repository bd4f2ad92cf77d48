"""Checks that wait for what never comes, in the wilderness: half of the engine's worst day.

`test_engine_matrix.py` runs them in one suite with `engine_matrix_ends.py`.
"""

# ruff: noqa: T201 - what a check prints is a case
from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from servers import wilderness
from servers.processes import freeze

MARKER = os.environ.get("MATRIX_MARKER", "")
FOREVER = 1000
HOST = "127.0.0.1"
POSTGRES, POSTGRES_FAR, MARIADB, MARIADB_FAR = 5432, 5433, 3306, 3307
"""The ports of servers that will be stopped, and of those on hosts that become black holes."""


def ask(port: int) -> None:
    requests.get(f"http://{HOST}:{port}/", timeout=None)


def libpq(port: int) -> Any:
    import psycopg2

    return psycopg2.connect(host=HOST, port=port, user="postgres", dbname="postgres")


def pymysql(port: int) -> Any:
    import pymysql

    return pymysql.connect(host=HOST, port=port, user="root", connect_timeout=FOREVER)


def query_while(connection: Any, breaks: Callable[[], object]) -> None:
    cursor = connection.cursor()
    cursor.execute("select 1")
    breaks()
    cursor.execute("select 2")


@pytest.mark.parametrize("number", range(5))
def test_well(number: int) -> None:
    assert Path.cwd() == Path(__file__).parent


def test_query_into_a_black_hole_by_libpq() -> None:
    query_while(libpq(POSTGRES_FAR), lambda: wilderness.swallow(POSTGRES_FAR))


def test_query_on_a_stopped_server_by_libpq() -> None:
    query_while(libpq(POSTGRES), lambda: freeze(int(os.environ["POSTGRES_PID"])))


def test_query_into_a_black_hole_by_pymysql() -> None:
    query_while(pymysql(MARIADB_FAR), lambda: wilderness.swallow(MARIADB_FAR))


def test_query_on_a_stopped_server_by_pymysql() -> None:
    query_while(pymysql(MARIADB), lambda: freeze(int(os.environ["MARIADB_PID"])))


@pytest.mark.parametrize("connect", [ask, libpq, pymysql])
@pytest.mark.parametrize(
    "port",
    [
        pytest.param(wilderness.SILENT, id="silent"),
        pytest.param(wilderness.FULL, id="full"),
        pytest.param(wilderness.SWALLOWED, id="swallowed"),
    ],
)
def test_server(connect: Callable[[int], object], port: int) -> None:
    connect(port)


def test_server_that_says_a_byte_a_second() -> None:
    ask(wilderness.TRICKLING)


def test_server_that_is_asked_again_and_again(http: Any) -> None:
    """Each request has its limit, and yet only the check's own ends them."""
    while True:
        with contextlib.suppress(requests.RequestException):
            http.get(f"http://{HOST}:{wilderness.SILENT}/", timeout=0.5)


@pytest.mark.parametrize("kind", ["deaf", "mute"])
def test_file_system(kind: str) -> None:
    (Path(os.environ["MOUNTS"]) / kind / "file").read_text()


def test_fifo(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "fifo").read_text()


def test_sleep() -> None:
    time.sleep(FOREVER)


def test_c_loop() -> None:
    print("before the loop")
    sum(range(10**13))


def test_python_loop() -> None:
    while True:
        pass


def test_blocked_signals() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    time.sleep(FOREVER)


def test_ignored_signals() -> None:
    for number in {*signal.valid_signals()} - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_IGN)
    time.sleep(FOREVER)


def test_swallower() -> None:
    while True:
        try:
            time.sleep(FOREVER)
        except BaseException:  # noqa: BLE001 - this is the case
            continue


def test_stops_itself() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def test_child_that_holds_a_pipe() -> None:
    command = f"(sleep {FOREVER} & sleep {FOREVER}) # {MARKER}"
    subprocess.run(["sh", "-c", command], capture_output=True, check=False)


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


def test_setup(hanging_setup: None) -> None: ...


def test_teardown(hanging_teardown: None) -> None: ...


def test_stubborn_teardown(stubborn_teardown: None) -> None: ...


def test_import() -> None:
    Path("hanging_module.py").write_text(f"import time; time.sleep({FOREVER})")
    sys.path.insert(0, str(Path.cwd()))
    import hanging_module  # noqa: F401 - importing it is the case


def test_thread_that_is_waited_for() -> None:
    thread = threading.Thread(target=time.sleep, args=(FOREVER,))
    thread.start()
    thread.join()

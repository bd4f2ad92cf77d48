"""Whatever a check does, it ends in time, is told with its reason, and harms no other."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from engine_runs import Run, processes_of, run, run_checks
from servers.processes import wait_until

pytestmark = pytest.mark.slow

TIMEOUT = 2.0
LATEST = TIMEOUT + 2.0
MATRIX = Path(__file__).with_name("engine_matrix.py")

TIMED_OUT = "timed out after 2 s"
ENDINGS = {
    "test_sleep": ("timeout", TIMED_OUT),
    "test_silent_server": ("timeout", TIMED_OUT),
    "test_slow_server": ("timeout", TIMED_OUT),
    "test_server_that_never_accepts": ("timeout", TIMED_OUT),
    "test_libpq": ("timeout", f"{TIMED_OUT} at line "),
    "test_pymysql": ("timeout", TIMED_OUT),
    "test_c_loop": ("timeout", f"{TIMED_OUT} at line "),
    "test_blocked_signals": ("timeout", f"{TIMED_OUT} at line "),
    "test_ignored_signals": ("timeout", TIMED_OUT),
    "test_python_loop": ("timeout", TIMED_OUT),
    "test_swallower": ("timeout", f"{TIMED_OUT} at line "),
    "test_fifo": ("timeout", TIMED_OUT),
    "test_stops_itself": ("timeout", TIMED_OUT),
    "test_child_that_holds_a_pipe": ("timeout", TIMED_OUT),
    "test_child_that_holds_stdout": ("passed", ""),
    "test_child_that_ignores_term": ("passed", ""),
    "test_daemon_that_gets_away": ("passed", ""),
    "test_thread_that_never_ends": ("passed", ""),
    "test_setup": ("timeout", f"{TIMED_OUT} in setup"),
    "test_teardown": ("timeout", f"{TIMED_OUT} in teardown"),
    "test_stubborn_teardown": ("timeout", f"{TIMED_OUT} in teardown at line "),
    "test_import": ("timeout", TIMED_OUT),
    "test_exit[0]": ("crashed", "its process exited with 0"),
    "test_exit[7]": ("crashed", "its process exited with 7"),
    "test_abort": ("crashed", "its process died by SIGABRT at line "),
    "test_segfault": ("crashed", "its process died by SIGSEGV at line "),
    "test_exit_in_a_thread": ("passed", ""),
    "test_kills_its_parent": ("crashed", "the keeper of its process died by SIGKILL"),
    "test_kills_its_group": ("crashed", "its process died by SIGKILL"),
    "test_forks": ("timeout", TIMED_OUT),
    "test_eats_memory": ("error", "cannot tell: MemoryError"),
    "test_prints_a_hundred_megabytes": ("passed", ""),
    "test_writes_without_end": ("crashed", "ended at line "),
    "test_closes_every_descriptor": ("crashed", "it closed the descriptors"),
    "test_closes_all_and_opens_others": ("crashed", "it closed the descriptors"),
    "test_changes_directory": ("passed", ""),
    "test_changes_umask": ("passed", ""),
    "test_changes_locale": ("passed", ""),
    "test_changes_signal_handlers": ("passed", ""),
}


@contextmanager
def bad_servers() -> Iterator[dict[str, str]]:
    """Give the ports of servers that are silent, that trickle, and that accept nobody."""
    with ExitStack() as stack:
        silent, slow, full = (
            stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=backlog))
            for backlog in (128, 128, 0)
        )
        for _ in range(2):  # with backlog 0 the kernel keeps one connection, and drops the others
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(full.getsockname())
        over = threading.Event()
        trickling = threading.Thread(target=_trickle, args=(slow, over))
        trickling.start()
        names = {"SILENT": silent, "SLOW": slow, "FULL": full}
        yield {name: str(server.getsockname()[1]) for name, server in names.items()}
        over.set()
        trickling.join()


def _trickle(server: socket.socket, over: threading.Event) -> None:
    server.settimeout(0.1)
    callers: list[socket.socket] = []
    while not over.wait(0.2):
        try:
            caller, _ = server.accept()
            caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            callers.append(caller)
        except TimeoutError:
            pass
        for caller in callers:
            try:
                caller.send(b".")
            except OSError:
                continue
    for caller in callers:
        caller.close()


@pytest.fixture(scope="module")
def marker() -> str:
    """A word in the command lines and environments of all that the matrix starts."""
    return f"yakei-matrix-{os.getpid()}"


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory, marker: str) -> Run:
    """Run the whole matrix once, in eight slots, as the runner would."""
    folder = tmp_path_factory.mktemp("matrix")
    shutil.copy(MATRIX, folder / "test_matrix.py")
    (folder / "yakei.toml").write_text("", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, bad_servers() as ports:
        patch.setenv("MATRIX_MARKER", marker)
        for name, port in ports.items():
            patch.setenv(name, port)
        runner = ("--yakei-run", f"--yakei-journal={folder / 'journal.jsonl'}")
        return run(folder, "--yakei-slots=8", f"--timeout={TIMEOUT:g}", "--junitxml=j.xml", *runner)


def test_the_matrix_is_whole(matrix: Run) -> None:
    well = {name for name in matrix.tests if "well" in name}

    assert set(matrix.tests) - well == set(ENDINGS)
    assert len(well) == 10


@pytest.mark.parametrize("name", ENDINGS)
def test_a_check_ends_as_what_it_did(matrix: Run, name: str) -> None:
    outcome, fact = ENDINGS[name]
    told = matrix.told(name)

    assert (told["outcome"], told["fact"][: len(fact)]) == (outcome, fact)


@pytest.mark.parametrize("name", ENDINGS)
def test_a_check_ends_in_time(matrix: Run, name: str) -> None:
    stages = (matrix.tests[name].get(stage, {}) for stage in ("setup", "call", "teardown"))

    latest = 12.0 if name == "test_prints_a_hundred_megabytes" else LATEST

    assert sum(stage.get("duration", 0.0) for stage in stages) < latest


@pytest.mark.parametrize("number", range(10))
def test_a_healthy_neighbour_is_judged(matrix: Run, number: int) -> None:
    name = "test_well" if number < 5 else "test_still_well"

    assert matrix.told(f"{name}[{number}]")["outcome"] == "passed"


def test_nothing_is_left_behind(matrix: Run, marker: str) -> None:
    wait_until(lambda: not processes_of(marker), "the end of all that the matrix started")


@pytest.mark.parametrize("name", ["test_c_loop", "test_swallower", "test_libpq", "test_segfault"])
def test_the_stack_is_told(matrix: Run, name: str) -> None:
    assert f"in {name}" in matrix.told(name)["details"]


@pytest.mark.parametrize("name", ["test_c_loop", "test_abort"])
def test_what_a_lost_check_had_said_is_kept(matrix: Run, name: str) -> None:
    assert matrix.tests[name]["call"]["stdout"].startswith("before the ")


@pytest.mark.parametrize(
    "name",
    [
        "test_child_that_holds_stdout",
        "test_child_that_ignores_term",
        "test_daemon_that_gets_away",
        "test_thread_that_never_ends",
    ],
)
def test_what_a_check_leaves_is_named(matrix: Run, name: str) -> None:
    assert f"::{name} left running, now ended" in matrix.output


@pytest.mark.parametrize("what", ["directory", "umask", "locale", "signal handlers"])
def test_a_changed_process_is_not_used_again(matrix: Run, what: str) -> None:
    assert f"{what} of its process" in matrix.output


def test_the_whole_takes_no_longer_than_its_parts(matrix: Run) -> None:
    hanging = sum(outcome == "timeout" for outcome, _ in ENDINGS.values())

    assert matrix.seconds < (hanging / 8 + 2) * LATEST


FINALIZER = """
import ctypes, pytest

@pytest.fixture(scope="session")
def hanging_finalizer():
    yield
    ctypes.PyDLL(None).sleep(1000)

def test_uses_it(hanging_finalizer): pass

@pytest.mark.parametrize("number", range(10))
def test_well(number): pass
"""


def test_a_session_finalizer_that_hangs_is_told_by_the_last_check_of_its_process(
    tmp_path: Path,
) -> None:
    ended = run_checks(tmp_path, FINALIZER, "--yakei-slots=1", "--timeout=1")
    (told,) = (test for test in ended.tests.values() if test["outcome"] != "passed")

    assert "def hanging_finalizer" in told["teardown"]["longrepr"]
    assert "Timeout (>1.0s)" in told["teardown"]["longrepr"]
    assert told["call"]["outcome"] == "passed"
    assert len(ended.tests) == 11

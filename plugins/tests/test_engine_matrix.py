"""Whatever a check does, it ends in time, is told with its reason, and harms no other."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_endings import ENDINGS, TIMEOUT
from engine_runs import PLUGINS, Run, command, processes_of, run_command
from servers import wilderness
from servers.mariadb import MariaDBServer, mariadb_server
from servers.postgres import PostgresServer, postgres_server
from servers.processes import wait_until
from servers.requirements import postgresql_programs

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(120)]

LATEST = TIMEOUT + 2.0
LONGER = dict.fromkeys(["test_prints_a_hundred_megabytes", "test_writes_without_end"], 12.0)
"""What is written takes a busy disk longer than the others may take."""
SLOTS = 8
STAGES = ("setup", "call", "teardown")
SUITE = {"engine_matrix_waits.py": "test_a_waits.py", "engine_matrix_ends.py": "test_b_ends.py"}
WELL = [f"test_well[{n}]" for n in range(5)] + [f"test_still_well[{n}]" for n in range(5, 10)]
LEAVING = [
    "test_child_that_holds_stdout",
    "test_child_that_ignores_term",
    "test_daemon_that_gets_away",
    "test_thread_that_never_ends",
]
Servers = tuple[PostgresServer, MariaDBServer]
TOLD = {name: end for name, end in ENDINGS.items() if end.outcome != "passed"}


@pytest.fixture(scope="module")
def marker() -> str:
    """A word in the command lines and environments of all that the matrix starts."""
    return f"yakei-matrix-{os.getpid()}"


@pytest.fixture(scope="module")
def wild(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the mounts: pytest must not look for checks in it."""
    return tmp_path_factory.mktemp("wild")


@pytest.fixture(scope="module")
def doomed(postgres_data: Path, mariadb_data: Path) -> Iterator[Servers]:
    """Servers that the matrix will stop."""
    with (
        postgres_server(postgres_data, postgresql_programs()) as postgres,
        mariadb_server(mariadb_data) as mariadb,
    ):
        yield postgres, mariadb


@pytest.fixture(scope="module")
def relays(doomed: Servers, postgres: PostgresServer, mariadb: MariaDBServer) -> dict[int, Path]:
    """The ports of the servers that will be stopped, and of those that only seem to vanish."""
    return {
        5432: doomed[0].socket,
        5433: postgres.socket,
        3306: doomed[1].socket,
        3307: mariadb.socket,
    }


@pytest.fixture(scope="module")
def matrix(wild: Path, marker: str, doomed: Servers, relays: dict[int, Path]) -> Run:
    """Run the whole matrix once, in eight slots, as the runner would."""
    folder = wild.with_name("matrix")
    folder.mkdir()
    for source, name in SUITE.items():
        shutil.copy(Path(__file__).with_name(source), folder / name)
    (folder / "yakei.toml").write_text("", encoding="utf-8")
    (wild / "tmp").mkdir()
    environment = {
        "MATRIX_MARKER": marker,
        "MOUNTS": str(wild),
        "POSTGRES_PID": str(doomed[0].pid),
        "MARIADB_PID": str(doomed[1].pid),
        "TMPDIR": str(wild / "tmp"),
        "PYTHONPATH": f"{PLUGINS}{os.pathsep}{PLUGINS / 'tests'}",
    }
    options = ("--yakei-run", f"--yakei-journal={folder / 'journal'}", f"--timeout={TIMEOUT:g}")
    pytest_ = command(folder, f"--yakei-slots={SLOTS}", *options)
    return run_command(folder, wilderness.inside(wild, relays, pytest_), environment)


def test_the_matrix_is_whole(matrix: Run) -> None:
    assert set(matrix.tests) == {*ENDINGS, *WELL}


@pytest.mark.parametrize("name", ENDINGS)
def test_a_check_ends_as_what_it_did(matrix: Run, name: str) -> None:
    told, end = matrix.told(name), ENDINGS[name]

    assert told["outcome"] == end.outcome
    assert re.fullmatch(end.fact, told["fact"])


@pytest.mark.parametrize("name", TOLD)
def test_it_is_told_where_a_check_was(matrix: Run, name: str) -> None:
    """Its line where there is a stack, and in any case the phase."""
    told, end = matrix.told(name), TOLD[name]
    stages = {stage: matrix.tests[name].get(stage, {}) for stage in STAGES}
    phase = next((stage for stage in STAGES if f" in {stage}" in end.fact), "call")

    assert end.place in told["details"]
    assert stages[phase]["outcome"] == "failed"
    assert stages[phase]["longrepr"]


@pytest.mark.parametrize("name", ENDINGS)
def test_a_check_ends_in_time(matrix: Run, name: str) -> None:
    stages = (matrix.tests[name].get(stage, {}) for stage in STAGES)

    assert sum(stage.get("duration", 0.0) for stage in stages) < LONGER.get(name, LATEST)


@pytest.mark.parametrize("name", WELL)
def test_a_healthy_neighbour_is_judged(matrix: Run, name: str) -> None:
    assert matrix.told(name)["outcome"] == "passed"


def test_no_process_is_left_behind(matrix: Run, marker: str) -> None:
    wait_until(lambda: not processes_of(marker), "the end of all that the matrix started")


def test_no_socket_is_left_behind(matrix: Run, wild: Path) -> None:
    assert json.loads((wild / "left.json").read_text()) == []


def test_no_file_is_left_behind(matrix: Run, wild: Path) -> None:
    """Of folders that checks asked for, pytest keeps those of the last runs."""
    assert [path.name[:10] for path in (wild / "tmp").iterdir()] == ["pytest-of-"]


@pytest.mark.parametrize("name", ["test_c_loop", "test_abort"])
def test_what_a_lost_check_had_said_is_kept(matrix: Run, name: str) -> None:
    assert matrix.tests[name]["call"]["stdout"].startswith("before the ")


@pytest.mark.parametrize("name", LEAVING)
def test_what_a_check_leaves_is_named(matrix: Run, name: str) -> None:
    assert f"::{name} left running, now ended" in matrix.output


@pytest.mark.parametrize("what", ["directory", "umask", "locale", "signal handlers"])
def test_a_changed_process_is_not_used_again(matrix: Run, what: str) -> None:
    assert f"{what} of its process" in matrix.output


def test_a_process_that_even_kill_does_not_end_is_named(matrix: Run) -> None:
    details = matrix.told("test_file_system[mute]")["details"]

    assert "could not be ended, not even by KILL: uninterruptible sleep" in details


def test_the_whole_takes_no_longer_than_its_parts(matrix: Run) -> None:
    hanging = sum(end.outcome == "timeout" for end in ENDINGS.values())

    assert matrix.seconds < (hanging / SLOTS + 2) * LATEST

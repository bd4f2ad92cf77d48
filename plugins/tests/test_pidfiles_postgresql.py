"""PostgreSQL itself agrees with what we say about its postmaster.pid."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from bystanders import Start, as_account, asleep, context_of
from servers import requirements
from servers.postgres import PostgresServer

from pytest_yakei.probes.pidfiles import PidFile, Settings, Verdict, probe

pytestmark = pytest.mark.server

__all__ = ["asleep"]

NewPostgres = Callable[..., PostgresServer]


def of_postgres(server: PostgresServer) -> PidFile:
    path = server.data_directory / "postmaster.pid"
    return probe(context_of(Settings(path=path, answer_within=timedelta(seconds=1))))


def name_in_file(path: Path, pid: int) -> None:
    """Put another pid into a pid file, whose owner, mode and other lines stay."""
    rest = path.read_text().partition("\n")[2]
    path.write_text(f"{pid}\n{rest}")


def start_of(server: PostgresServer) -> str:
    """Try to start a server that is down; return what it said when it refused."""
    try:
        server.start()
    except RuntimeError as error:
        return str(error)
    return ""


def test_a_running_postgresql_is_well_without_any_settings(postgres: PostgresServer) -> None:
    assert of_postgres(postgres).verdict() is Verdict.RUNNING


def test_asking_postgresql_leaves_no_line_in_its_log(new_postgres: NewPostgres) -> None:
    server = new_postgres()
    before = server.log.read_text()

    of_postgres(server).verdict()
    server.stop()

    after = server.log.read_text().removeprefix(before)
    assert "packet" not in after
    assert "could not" not in after


def test_a_frozen_postgresql_hangs(new_postgres: NewPostgres) -> None:
    server = new_postgres()
    server.freeze()

    assert of_postgres(server).verdict() is Verdict.HUNG


def test_a_stopped_postgresql_is_down(new_postgres: NewPostgres) -> None:
    server = new_postgres()
    server.stop()

    assert str(of_postgres(server).problems()).startswith("postgres is down: there is no pid file")


def test_a_crashed_postgresql_is_down_and_starts(new_postgres: NewPostgres) -> None:
    server = new_postgres()
    server.kill()
    probed = of_postgres(server)

    assert probed.verdict() is Verdict.DOWN
    server.start()
    assert probed.verdict() is Verdict.RUNNING


def test_a_process_of_its_own_user_keeps_postgresql_down_as_we_say(
    new_postgres: NewPostgres, asleep: Start
) -> None:
    server = new_postgres()
    server.kill()
    stranger = asleep(user="postgres")
    name_in_file(server.data_directory / "postmaster.pid", stranger.pid)

    text = str(of_postgres(server).problems())

    assert text.startswith(f"pid {stranger.pid} is sleep, not postgres; start will refuse")
    assert 'lock file "postmaster.pid" already exists' in text
    assert 'lock file "postmaster.pid" already exists' in start_of(server)


def test_a_process_of_another_user_does_not_hinder_postgresql_as_we_say(
    new_postgres: NewPostgres, asleep: Start
) -> None:
    server = new_postgres()
    server.kill()
    stranger = asleep(user="nobody")
    name_in_file(server.data_directory / "postmaster.pid", stranger.pid)

    text = str(of_postgres(server).problems())

    assert text.startswith(f"postgres is down: pid {stranger.pid} is sleep, not postgres")
    assert "A start works all the same" in text
    assert start_of(server) == ""


def test_an_empty_postmaster_file_keeps_postgresql_down_as_we_say(
    new_postgres: NewPostgres,
) -> None:
    server = new_postgres()
    server.kill()
    (server.data_directory / "postmaster.pid").write_text("")

    assert 'lock file "postmaster.pid" is empty' in str(of_postgres(server).problems())
    assert 'lock file "postmaster.pid" is empty' in start_of(server)


def test_the_pid_of_another_cluster_is_a_stranger(
    new_postgres: NewPostgres, postgres: PostgresServer
) -> None:
    """Right program, right user, other data directory."""
    server = new_postgres()
    server.kill()
    name_in_file(server.data_directory / "postmaster.pid", postgres.pid)

    text = str(of_postgres(server).problems())

    assert text.startswith(f"pid {postgres.pid} is another postgres; start will refuse")
    assert f"it works in {postgres.data_directory}" in text


def test_the_file_of_another_cluster_is_not_believed(
    new_postgres: NewPostgres, postgres: PostgresServer
) -> None:
    server = new_postgres()
    server.kill()
    other = postgres.data_directory / "postmaster.pid"
    (server.data_directory / "postmaster.pid").write_text(other.read_text())

    text = str(of_postgres(server).problems())

    assert text.startswith(f"pid {postgres.pid} is another postgres; start will refuse")
    assert f"the file names the data directory {postgres.data_directory}" in text


def test_a_postmaster_that_started_at_another_time_is_a_stranger(
    new_postgres: NewPostgres,
) -> None:
    server = new_postgres()
    path = server.data_directory / "postmaster.pid"
    lines = path.read_text().splitlines()
    lines[2] = str(int(lines[2]) - 86400)
    path.write_text("\n".join(lines))

    assert "and the file says" in str(of_postgres(server).problems())


def test_single_user_mode_is_down(new_postgres: NewPostgres) -> None:
    server = new_postgres()
    server.stop()
    programs = requirements.postgresql_programs()
    command = [programs / "postgres", "--single", "-D", server.data_directory, "postgres"]
    session = subprocess.Popen(
        as_account("postgres", command), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert session.stdout
    session.stdout.read(1)

    text = str(of_postgres(server).problems())
    session.communicate(b"", timeout=20)

    assert text.startswith(f"postgres is down: single-user mode (pid {session.pid}) has it")
    assert "let the work in single-user mode" in text

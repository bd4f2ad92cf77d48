"""Pid files, locks and waiting sessions of real programs, as those on call hear of them."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from apache import Apache, private_apache
from bystanders import Start, asleep, running
from real import Watch, watch
from servers.mariadb import MariaDBServer
from servers.postgres import PostgresServer
from servers.processes import wait_until

from pytest_yakei.probes.lockfiles.kernel import holding

pytestmark = pytest.mark.server
__all__ = ["asleep", "watch"]

PASSWORD = "S3cr3tW0rd"
SERVICE = "test_service_is_running_and_its_pid_file_is_its_own"


@pytest.fixture
def web() -> Iterator[Apache]:
    """A running Apache."""
    with private_apache() as server:
        server.start()
        yield server


def pid_file_of(web: Apache) -> str:
    """Return the table of Apache's pid file."""
    return f"""
[pidfiles.httpd]
path = "{web.pid_file}"
program = "apache2"
port = {web.port}
start = "systemctl start apache2"
"""


def test_pid_files_of_running_servers_are_silent(
    watch: Watch, web: Apache, postgres: PostgresServer
) -> None:
    postmaster = f'[pidfiles.postgres]\npath = "{postgres.data_directory}/postmaster.pid"\n'
    watch.use("pidfiles", configuration=pid_file_of(web) + postmaster)

    assert watch.run().is_silent


def test_a_pid_file_of_a_stranger_while_the_service_runs(
    watch: Watch, web: Apache, asleep: Start
) -> None:
    """Whoever would stop it is told not to, and the right pid."""
    watch.use("pidfiles", configuration=pid_file_of(web))
    good, stranger = web.pid_file.read_text(), asleep().pid
    web.pid_file.write_text(f"{stranger}\n")

    told = watch.run()
    web.pid_file.write_text(good)

    assert told.bad == {f"failed {SERVICE}[httpd]"}
    assert f"pid {stranger} is sleep, not apache2" in told.subject
    assert "graceful/stop would signal sleep" in told.screen
    assert "Do NOT    run apache2 -k stop, restart or graceful" in told.screen
    assert f"echo {good.strip()} > {web.pid_file}" in told.screen
    assert watch.run().is_silent


def test_a_pid_file_of_a_stranger_while_the_service_is_down(
    watch: Watch, web: Apache, asleep: Start
) -> None:
    watch.use("pidfiles", configuration=pid_file_of(web))
    web.kill()
    stranger = asleep().pid
    web.pid_file.write_text(f"{stranger}\n")

    told = watch.run()
    web.pid_file.unlink()
    web.start()

    assert told.bad == {f"failed {SERVICE}[httpd]"}
    assert f"pid {stranger} is sleep, not apache2; start will refuse" in told.screen
    assert f"rm {web.pid_file} && systemctl start apache2" in told.screen
    assert f"ss -ltnp 'sport = :{web.port}'" in told.screen
    assert watch.run().is_silent


def test_a_service_that_has_died_is_down_and_not_poisoned(watch: Watch, web: Apache) -> None:
    watch.use("pidfiles", configuration=pid_file_of(web))
    web.kill()

    told = watch.run()

    assert "apache2 is down: pid" in told.subject
    assert "the file does not hinder a start" in told.screen


def test_a_stopped_postmaster_is_told_with_what_stands_still(
    watch: Watch, new_postgres: Callable[..., PostgresServer]
) -> None:
    """The pid file says why, the database that it cannot be asked: two facts, one message."""
    server = new_postgres()
    tables = f"""
[databases]
main = "{server.url()}"
[database_locks.main]
database = "main"
[pidfiles.postgres]
path = "{server.data_directory}/postmaster.pid"
answer_within = "1s"
"""
    watch.use("pidfiles", "database_locks", configuration=tables)
    assert watch.run().is_silent
    server.freeze()

    told = watch.run()
    server.thaw()

    assert f"failed {SERVICE}[postgres]" in told.bad
    assert f"postgres (pid {server.pid}) is stopped and serves nobody" in told.screen
    assert f"database main: timed out after 5 s at 127.0.0.1:{server.port}" in told.screen
    assert watch.run().is_silent


@contextmanager
def held(lock: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Have a job hold a lock that it took with setlock."""
    with running(["setlock", "-nX", lock, "sleep", "600"]) as job:
        wait_until(lambda: holding(lock).holders, "setlock has the lock")
        yield job


def test_a_lock_that_is_held_for_too_long_names_its_holder(watch: Watch, tmp_path: Path) -> None:
    lock = tmp_path / "backup.lock"
    lock.touch()
    limit = f'[lockfiles.backup]\npath = "{lock}"\nmax_held = '
    with held(lock) as job:
        begun = time.monotonic()
        watch.use("lockfiles", configuration=f'{limit}"5m"')
        early = watch.run()
        watch.use("lockfiles", configuration=f'{limit}"1s"')
        wait_until(lambda: time.monotonic() - begun > 1, "a second of holding")
        late = watch.run()

    assert early.is_silent
    assert "lockfile backup: held:" in late.subject
    assert f"is held by pid {job.pid}: sleep 600" in late.screen
    assert "Do NOT    remove the file" in late.screen
    assert watch.run().is_silent


class Session:
    """A session of an application."""

    def __init__(self, connection: Any) -> None:
        self._cursor = connection.cursor()
        self._threads: list[threading.Thread] = []

    def do(self, *statements: str) -> Any:
        """Run statements, and return the rows of the last."""
        for statement in statements:
            self._cursor.execute(statement)
        return self._cursor.fetchall()

    def begin(self, *statements: str) -> None:
        """Run statements that give no rows."""
        for statement in statements:
            self._cursor.execute(statement)

    def wait(self, statement: str) -> None:
        """Run a statement that waits, in the background."""

        def run() -> None:
            with suppress(Exception):  # the test ends it
                self._cursor.execute(statement)

        self._threads.append(threading.Thread(target=run))
        self._threads[-1].start()

    def join(self) -> None:
        """Return when nothing waits any more."""
        for thread in self._threads:
            thread.join()


def locks_of(url: str) -> str:
    """Return the tables of a database whose locks are watched, with limits of two seconds."""
    return f"""
[databases]
main = "{url}"
[database_locks.main]
database = "main"
max_wait = "2s"
max_idle_in_transaction = "2s"
max_global_read_lock = "2s"
"""


def test_sessions_of_postgresql_that_idle_and_wait(watch: Watch, postgres: PostgresServer) -> None:
    """Both are told with their pids and without the data in their statements."""
    name, user = postgres.create_database("shop"), postgres.create_user("watcher", PASSWORD)
    postgres.execute(f'grant pg_monitor to "{user}"')
    url = postgres.url(name, user=user, password=PASSWORD)
    watch.use("database_locks", configuration=locks_of(url))
    assert watch.run().is_silent
    with closing(postgres.connect(name)) as one, closing(postgres.connect(name)) as other:
        idle, waiting = Session(one), Session(other)
        idle.begin("create table cards (number text)", "insert into cards values ('')")
        idle.begin("begin", "update cards set number = 'Wn3x7kQp41'")
        pid = one.info.backend_pid
        waiting.wait("update cards set number = 'Wn3x7kQp55'")
        postgres.execute("select pg_sleep(2.1)")

        told = watch.run()
        idle.begin("rollback")
        waiting.join()

    assert told.bad == {
        "failed test_nobody_waits_long_for_a_lock[main]",
        "failed test_no_session_idles_in_a_transaction[main]",
    }
    assert f"Behind    pid {pid} (user postgres)" in told.screen
    assert f"select pg_terminate_backend({pid})" in told.body
    assert "Wn3x7kQp" not in told.everything + watch.repository.everything_kept()
    assert watch.run().is_silent


def test_a_role_without_rights_is_one_message(watch: Watch, postgres: PostgresServer) -> None:
    user = postgres.create_user("watcher", PASSWORD)
    watch.use("database_locks", configuration=locks_of(postgres.url(user=user, password=PASSWORD)))

    told = watch.run()

    assert told.subject.startswith("[CRIT] app01 sessions of database main: cannot tell: needs")
    assert f'needs pg_monitor: grant pg_monitor to "{user}"; 2 checks not judged' in told.screen


def test_a_backup_that_stops_the_writes_of_mariadb(watch: Watch, mariadb: MariaDBServer) -> None:
    name, user = mariadb.create_database("shop"), mariadb.create_user("watcher", PASSWORD)
    mariadb.execute("create table orders (id int)", database=name)
    mariadb.execute(f"grant process on *.* to `{user}`@'%'")
    mariadb.execute(f"grant select on `{name}`.* to `{user}`@'%'")
    url = mariadb.url(name, user=user, password=PASSWORD)
    watch.use("database_locks", configuration=locks_of(url))
    assert watch.run().is_silent
    with closing(mariadb.connect(name)) as one, closing(mariadb.connect(name)) as other:
        backup, application = Session(one), Session(other)
        backup.begin("flush tables with read lock")
        application.wait("insert into orders values (4711)")
        mariadb.execute("select sleep(3)")

        told = watch.run(environment={"TZ": "Asia/Tokyo"})
        backup.begin("unlock tables")
        application.join()

    assert told.bad == {"failed test_writes_are_not_stopped[main]"}
    assert "writes stopped:" in told.subject
    assert "insert into orders values (?)" in told.screen
    assert "show full processlist" in told.screen
    assert watch.run().is_silent

"""A private PostgreSQL server, made in a tenth of a second from a template."""

from __future__ import annotations

import itertools
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from servers import processes
from servers.ports import LOOPBACK, free_port

ACCOUNT = "postgres"
NEEDS_PASSWORD = "needs_password"
"""Members of this role log in with their password; everybody else is trusted."""
ACCESS = f"""
local all all trust
host all +{NEEDS_PASSWORD} {LOOPBACK}/32 scram-sha-256
host all all {LOOPBACK}/32 trust
"""
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "fsync": "off",
    "dynamic_shared_memory_type": "mmap",  # in its folder: a killed server leaves none in /dev/shm
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "16MB",
    "max_connections": "100",
    "max_prepared_transactions": "10",
}
_numbers = itertools.count(1)


class PostgresServer:
    """One server: its address, its processes, and SQL as its superuser."""

    host = LOOPBACK
    superuser = "postgres"

    def __init__(self, folder: Path, programs: Path, settings: dict[str, str]) -> None:
        self.folder = folder
        self.data_directory = folder / "data"
        self.log = folder / "postgres.log"
        self.port = free_port()
        self._programs = programs
        self._user = processes.account(ACCOUNT)
        self._process: subprocess.Popen[bytes] | None = None
        self._configure(settings)

    def _configure(self, settings: dict[str, str]) -> None:
        given = {"port": str(self.port), "unix_socket_directories": str(self.folder), **settings}
        lines = [f"{name} = '{value}'\n" for name, value in given.items()]
        with (self.data_directory / "postgresql.conf").open("a") as file:
            file.writelines(lines)

    @property
    def pid(self) -> int:
        """The postmaster's pid."""
        assert self._process, "the server is not running"
        return self._process.pid

    @property
    def socket_directory(self) -> Path:
        """The folder of its unix socket: a host for libpq too."""
        return self.folder

    @property
    def socket(self) -> Path:
        """Its unix socket itself."""
        return self.folder / f".s.PGSQL.{self.port}"

    def url(
        self, database: str = "postgres", *, user: str = superuser, password: str | None = None
    ) -> str:
        """Return a `postgresql://` URL of one of its databases."""
        login = quote(user) if password is None else f"{quote(user)}:{quote(password, safe='')}"
        return f"postgresql://{login}@{self.host}:{self.port}/{quote(database)}"

    def start(self) -> None:
        """Start it and return when it answers."""
        command = [self._programs / "postgres", "-D", self.data_directory]
        self._process = processes.start(command, log=self.log, user=self._user)
        processes.wait_until(self._ready, f"PostgreSQL ready, see {self.log}")

    def _ready(self) -> bool:
        if self._process and self._process.poll() is not None:
            raise RuntimeError(f"PostgreSQL did not start:\n{self.log.read_text()}")
        file = self.data_directory / "postmaster.pid"
        lines = file.read_text().splitlines() if file.exists() else []
        # The eighth line tells what the postmaster is at; a file left by a crash says so too.
        return len(lines) > 7 and lines[0] == str(self.pid) and lines[7].strip() == "ready"

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT is PostgreSQL's fast shutdown, SIGQUIT the immediate one."""
        if self._process:
            processes.stop(self._process, how)
            self._process = None

    def restart(self) -> None:
        """Stop and start it, at the same port."""
        self.stop()
        self.start()

    def kill(self) -> None:
        """End the postmaster as a crash would, and see its children go; its lock files stay."""
        orphans = processes.children(self.pid)
        self.stop(signal.SIGKILL)
        for pid in orphans:
            processes.wait_gone(pid)

    def freeze(self) -> None:
        """Make the whole server hang: connections are accepted and nothing is answered."""
        processes.freeze(self.pid)

    def thaw(self) -> None:
        """Let it go on after `freeze`."""
        processes.thaw(self.pid)

    def connect(self, database: str = "postgres", *, user: str = superuser) -> Any:
        """Return an ordinary psycopg2 connection in autocommit mode; the caller closes it."""
        import psycopg2

        connection = psycopg2.connect(self.url(database, user=user))
        connection.autocommit = True
        return connection

    def execute(
        self, sql: str, params: Sequence[Any] = (), *, database: str = "postgres"
    ) -> list[tuple[Any, ...]]:
        """Run SQL as the superuser and return its rows, if it has any."""
        with closing(self.connect(database)) as connection, connection.cursor() as cursor:
            cursor.execute(sql, tuple(params) or None)
            return list(cursor.fetchall()) if cursor.description else []

    def create_database(self, name: str = "app") -> str:
        """Create a database with a name of its own, made from `name`, and return that."""
        unique = f"{name}_{next(_numbers)}"
        self.execute(f'create database "{unique}"')
        return unique

    def create_user(self, name: str, password: str | None = None) -> str:
        """Create a role that may log in, with its password if one is given; return its own name."""
        unique = f"{name}_{next(_numbers)}"
        self.execute(f'create role "{unique}" login')
        if password is not None:
            self.execute(f'alter role "{unique}" password %s', [password])
            self.execute(f'grant {NEEDS_PASSWORD} to "{unique}"')
        return unique


@contextmanager
def cluster_template(programs: Path) -> Iterator[Path]:
    """Yield a folder with a data directory as initdb makes it, to be copied for each server."""
    user = processes.account(ACCOUNT)
    with processes.private_folder(user) as folder:
        data = folder / "data"
        rules = ["-A", "trust", "-N", "-E", "UTF8", "--locale=C.UTF-8"]
        processes.run([programs / "initdb", "-D", data, "-U", ACCOUNT, *rules], user=user)
        (data / "pg_hba.conf").write_text(ACCESS)
        roles = f"create role {NEEDS_PASSWORD};\n"
        processes.run(
            [programs / "postgres", "--single", "-D", data, "postgres"], user=user, given=roles
        )
        yield folder


@contextmanager
def postgres_server(template: Path, programs: Path, **settings: object) -> Iterator[PostgresServer]:
    """Yield a running server of its own; settings are those of postgresql.conf."""
    with processes.private_folder(processes.account(ACCOUNT)) as folder:
        processes.run(["cp", "-a", template / "data", folder])
        given = {**SETTINGS, **{name: str(value) for name, value in settings.items()}}
        server = PostgresServer(folder, programs, given)
        try:
            server.start()
            yield server
        finally:
            server.stop()

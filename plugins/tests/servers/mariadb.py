"""A private MariaDB server, made from a template."""

from __future__ import annotations

import itertools
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from servers import processes, requirements
from servers.ports import LOOPBACK, free_port

ACCOUNT = "mysql"
OPTIONS = (
    f"--bind-address={LOOPBACK}",
    "--skip-name-resolve",
    "--innodb-buffer-pool-size=16M",
    "--innodb-log-file-size=8M",  # the usual one has 96 MB
    "--innodb-flush-log-at-trx-commit=0",
    "--sync-binlog=0",
    "--key-buffer-size=1M",
)
_numbers = itertools.count(1)


class MariaDBServer:
    """One server: its address, its process, and SQL as root, who has no password."""

    host = LOOPBACK
    superuser = "root"

    def __init__(self, folder: Path, options: Sequence[str]) -> None:
        self.folder = folder
        self.data_directory = folder / "data"
        self.socket = folder / "s.sock"
        self.log = folder / "mariadb.log"
        self.port = free_port()
        self._options = (*OPTIONS, *options)
        self._user = processes.account(ACCOUNT)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The server's pid."""
        assert self._process, "the server is not running"
        return self._process.pid

    def url(self, database: str = "", *, user: str = superuser, password: str | None = None) -> str:
        """Return a `mysql://` URL of one of its databases."""
        login = quote(user) if password is None else f"{quote(user)}:{quote(password, safe='')}"
        return f"mysql://{login}@{self.host}:{self.port}/{quote(database)}"

    def start(self) -> None:
        """Start it and return when it answers."""
        command = [
            requirements.program("mariadbd", what="MariaDB server", package="mariadb-server"),
            "--no-defaults",  # has to be the first option
            f"--datadir={self.data_directory}",
            f"--tmpdir={self.folder}",
            f"--socket={self.socket}",
            f"--pid-file={self.folder / 'my.pid'}",
            f"--port={self.port}",
            *self._options,
        ]
        self._process = processes.start(command, log=self.log, user=self._user)
        processes.wait_until(self._ready, f"MariaDB ready, see {self.log}")

    def _ready(self) -> bool:
        import pymysql

        if self._process and self._process.poll() is not None:
            raise RuntimeError(f"MariaDB did not start:\n{self.log.read_text()}")
        try:
            self.connect().close()
        except pymysql.err.OperationalError:
            return False
        return True

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop it cleanly."""
        if self._process:
            processes.stop(self._process, how)
            self._process = None

    def restart(self) -> None:
        """Stop and start it, at the same port."""
        self.stop()
        self.start()

    def kill(self) -> None:
        """End it as a crash would."""
        self.stop(signal.SIGKILL)

    def freeze(self) -> None:
        """Make it hang: connections are accepted and nothing is answered."""
        processes.freeze(self.pid)

    def thaw(self) -> None:
        """Let it go on after `freeze`."""
        processes.thaw(self.pid)

    def connect(self, database: str | None = None, *, user: str = superuser) -> Any:
        """Return an ordinary PyMySQL connection in autocommit mode; the caller closes it."""
        import pymysql

        return pymysql.connect(
            host=self.host, port=self.port, user=user, database=database, autocommit=True
        )

    def execute(
        self, sql: str, params: Sequence[Any] = (), *, database: str | None = None
    ) -> list[tuple[Any, ...]]:
        """Run SQL as root and return its rows."""
        with closing(self.connect(database)) as connection, connection.cursor() as cursor:
            cursor.execute(sql, tuple(params) or None)
            return list(cursor.fetchall())

    def create_database(self, name: str = "app") -> str:
        """Create a database with a name of its own, made from `name`, and return that."""
        unique = f"{name}_{next(_numbers)}"
        self.execute(f"create database `{unique}`")
        return unique

    def create_user(self, name: str, password: str = "") -> str:
        """Create a user without any right, with its password if one is given; return its name."""
        unique = f"{name}_{next(_numbers)}"
        self.execute("create user %s@'%%' identified by %s", [unique, password])
        return unique


@contextmanager
def mariadb_template() -> Iterator[Path]:
    """Yield a folder with a new data directory, to be copied for each server."""
    user = processes.account(ACCOUNT)
    install = requirements.program(
        "mariadb-install-db", what="MariaDB server", package="mariadb-server"
    )
    options = [
        "--auth-root-authentication-method=normal",  # otherwise root is the system's root only
        "--skip-test-db",
        "--skip-name-resolve",
        "--innodb-log-file-size=8M",
    ]
    with processes.private_folder(user) as folder:
        processes.run(
            [install, "--no-defaults", f"--datadir={folder / 'data'}", *options], user=user
        )
        yield folder


@contextmanager
def mariadb_server(template: Path, *options: str) -> Iterator[MariaDBServer]:
    """Yield a running server of its own; options are further ones of mariadbd."""
    with processes.private_folder(processes.account(ACCOUNT)) as folder:
        processes.run(["cp", "-a", template / "data", folder])
        server = MariaDBServer(folder, options)
        try:
            server.start()
            yield server
        finally:
            server.stop()

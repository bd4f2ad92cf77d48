"""A private Apache, to see what it makes of its pid file."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bystanders import wait_stopped
from servers import processes, requirements
from servers.ports import LOOPBACK, free_port

MODULES = Path("/usr/lib/apache2/modules")
CONFIGURATION = """
ServerRoot "{folder}"
ServerName localhost
DefaultRuntimeDir "{folder}"
PidFile "{folder}/httpd.pid"
ErrorLog "{folder}/error.log"
Listen {host}:{port}
LoadModule mpm_event_module "{modules}/mod_mpm_event.so"
LoadModule authz_core_module "{modules}/mod_authz_core.so"
StartServers 1
ServerLimit 1
ThreadsPerChild 4
MaxRequestWorkers 4
User {user}
Group #{group}
"""


class Apache:
    """One server of its own: its port, its pid file, and its own start and stop commands."""

    def __init__(self, folder: Path, program: str) -> None:
        self.pid_file = folder / "httpd.pid"
        self.port = free_port()
        self.program = program
        self._configuration = folder / "httpd.conf"
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = folder
        user = processes.account("www-data")
        given = {"folder": folder, "host": LOOPBACK, "port": self.port, "modules": MODULES}
        text = CONFIGURATION.format(**given, user=user or "#-1", group=_group(user))
        self._configuration.write_text(text)

    def start(self) -> int:
        """Start it in the foreground of a session of its own; return its pid when it listens."""
        command = [self.program, "-f", self._configuration, "-DFOREGROUND"]
        self._process = processes.start(command, log=self._folder / "output.log")
        processes.wait_until(self._has_started, f"Apache ready, see {self._folder}")
        return self._process.pid

    def _has_started(self) -> bool:
        assert self._process
        assert self._process.poll() is None, (self._folder / "error.log").read_text()
        written = self.pid_file.exists() and self.pid_file.read_text() == f"{self._process.pid}\n"
        return written and bool(processes.children(self._process.pid))

    def kill(self) -> None:
        """End it as a crash would; its pid file stays."""
        assert self._process
        workers = processes.children(self._process.pid)
        processes.stop(self._process, signal.SIGKILL)
        for worker in workers:
            processes.send(worker, signal.SIGKILL)
            processes.wait_gone(worker)
        self._process = None

    def freeze(self) -> None:
        """Stop the worker, so that connections are accepted and nothing is answered."""
        assert self._process
        for worker in processes.children(self._process.pid):
            processes.send(worker, signal.SIGSTOP)
            wait_stopped(worker)

    def command(self, action: str) -> subprocess.CompletedProcess[str]:
        """Run `httpd -k ACTION` and return what it said."""
        return subprocess.run(
            [self.program, "-f", str(self._configuration), "-k", action],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=30,
            check=False,
        )

    def stop(self) -> None:
        """End it, if it runs."""
        if self._process:
            for worker in processes.children(self._process.pid):
                processes.send(worker, signal.SIGCONT)
            processes.stop(self._process)


def _group(user: str | None) -> int:
    return pwd.getpwnam(user).pw_gid if user else os.getgid()


@contextmanager
def private_apache() -> Iterator[Apache]:
    """Yield an Apache that has not been started."""
    program = requirements.program("apache2", what="Apache", package="apache2")
    with processes.private_folder(None) as folder:
        server = Apache(folder, program)
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture
def apache() -> Iterator[Apache]:
    """Gives a running Apache for one test."""
    with private_apache() as server:
        server.start()
        yield server

"""What `[pidfiles.NAME]` may say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pytest_yakei.probes.services import Endpoint, Protocol, spoken_by

POSTMASTER_FILE = "postmaster.pid"
_LOOPBACK = "127.0.0.1"
_LARGEST_PORT = 65535


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One pid file, and how the service that owns it is known.

    Attributes:
        path: the pid file.
        program: the name of the service's program, such as `httpd`; `postgres` unless said for a
            file called `postmaster.pid`.
        command: a regular expression that the service's command line matches; tells instances of
            one program apart, or a script from others of its interpreter.
        data_directory: where the service works (its working directory, or its `-D`); for a
            `postmaster.pid` it is the file's folder.
        host: where the service listens, the loopback address unless said.
        port: its TCP port; PostgreSQL's is read from its `postmaster.pid`.
        socket: its unix socket, instead of host and port.
        answer: what counts as an answer; without it the program's own protocol where it is known,
            else a connection.
        answer_within: how long we wait for it.
        start: the command that starts the service, for the advice in the message.
        cleared_at_boot: whether the file is meant to lie where a reboot clears it.
    """

    path: Path
    program: str = ""
    command: str = ""
    data_directory: Path | None = None
    host: str = _LOOPBACK
    port: int | None = None
    socket: Path | None = None
    answer: Protocol | None = None
    answer_within: timedelta = timedelta(seconds=5)
    start: str = ""
    cleared_at_boot: bool = False

    def __post_init__(self) -> None:
        """Refuse what could judge nothing."""
        if not (self.program or self.command or self.is_postmaster_file):
            raise ValueError(
                'program: missing; the name of the service\'s program, such as "httpd"'
            )
        if self.port is not None and not 0 < self.port <= _LARGEST_PORT:
            raise ValueError(f"port: expected 1 to {_LARGEST_PORT}, got {self.port}")
        if self.port is not None and self.socket:
            raise ValueError("socket: expected either port or socket, got both")
        if self.answer and self.endpoint is None and not self.is_postmaster_file:
            raise ValueError("answer: nothing is asked without port or socket")
        if self.answer_within <= timedelta(0):
            raise ValueError("answer_within: expected more than nothing")
        try:
            re.compile(self.command)
        except re.error as error:
            raise ValueError(f"command: not a regular expression: {error}") from None

    @property
    def is_postmaster_file(self) -> bool:
        """Whether this is the pid file that PostgreSQL keeps in its data directory."""
        return self.path.name == POSTMASTER_FILE

    @property
    def program_name(self) -> str:
        """The program's name without a folder; "" if only the command line tells."""
        return Path(self.program).name or ("postgres" if self.is_postmaster_file else "")

    @property
    def working_directory(self) -> Path | None:
        """The folder that tells this instance from others, if one does."""
        if self.data_directory is None and self.is_postmaster_file:
            return self.path.parent
        return self.data_directory

    @property
    def endpoint(self) -> Endpoint | None:
        """Where the service is asked, if the configuration says so."""
        if self.socket:
            return self.asked_at(self.socket)
        return self.asked_at((self.host, self.port)) if self.port else None

    def asked_at(self, address: tuple[str, int] | Path) -> Endpoint:
        """Return an address with the way to ask there."""
        protocol = self.answer or spoken_by(self.program_name)
        return Endpoint(address=address, protocol=protocol, patience=self.answer_within)

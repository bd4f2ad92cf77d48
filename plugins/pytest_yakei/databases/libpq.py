"""What libpq is told to connect with, and what it says when it cannot."""

from __future__ import annotations

import math
import os
import re
from datetime import timedelta
from typing import Any

from pytest_yakei.databases.failures import one_line, timed_out
from pytest_yakei.databases.passwords import secrets_of
from pytest_yakei.databases.urls import Target

DEFAULT_PORT = "5432"
SHORTEST_CONNECT_TIMEOUT = 2
"""Seconds; libpq takes no shorter one."""
OURS = {
    "application_name": "yakei",
    "client_encoding": "utf8",
    # A peer that vanished is noticed after 10 + 3 x 5 s, also where a check uses the driver's
    # connection itself, without our deadlines.
    "keepalives": "1",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "25000",
}
NOT_LIBPQ = {"isolation_level", "pool", "server_side_binding", "assume_role", "cursor_factory"}
"""What Django's OPTIONS may hold beside libpq's key words."""
NO_OPTIONS = re.compile("unsupported startup parameter|unrecognized configuration parameter")
"""How a pooler such as pgbouncer refuses settings."""

AT = re.compile(r'server at "(?P<host>[^"]+)"(?: \([^)]*\))?, port (?P<port>\d+) failed')
ON = re.compile(r'server on socket "(?P<path>[^"]+)" failed')
REASONS = (
    (r"Connection refused", "connection refused"),
    (r"timeout expired|timed out", "{timed_out}"),
    (r"could not translate host name", "unknown host"),
    (r"No route to host|Network is unreachable", "no route"),
    (r"no password supplied", "a password is asked for and none is given"),
    (r'authentication failed for user "(?P<name>[^"]*)"', "authentication failed for user {name}"),
    (r'role "(?P<name>[^"]*)" does not exist', "no such user {name}"),
    (r'database "(?P<name>[^"]*)" does not exist', "no such database {name}"),
    (r'no pg_hba.conf entry .*user "(?P<name>[^"]*)"', "pg_hba.conf has no line for user {name}"),
    (r"too many (clients|connections)|connection slots are reserved", "no connection is free"),
    (r"starting up|not yet accepting|recovery mode", "the server is starting up"),
    (r"shutting down", "the server is shutting down"),
    (r"server closed the connection", "closed without a word"),
    (r"No such file or directory", "no server"),
)
"""What libpq says, which has no code for a failed connection, and what we say for it."""


def parameters(target: Target, connect: timedelta) -> dict[str, Any]:
    """Return the target's parameters as libpq's key words, with ours, which win."""
    given = {key: value for key, value in target.parameters.items() if key not in NOT_LIBPQ}
    hosts = max(1, len(target.get("host").split(",")))
    if "database" in given:
        given["dbname"] = given.pop("database")
    if ssl := given.pop("ssl", None):  # asyncpg's word
        given["sslmode"] = ssl
    each = math.ceil(connect.total_seconds() / hosts)
    given["connect_timeout"] = str(max(SHORTEST_CONNECT_TIMEOUT, each))
    given.setdefault("options", os.environ.get("PGOPTIONS", ""))
    return {**given, **OURS}


def address(host: str | None, port: object) -> str:
    """Return an address as people write it: `db01:5432`, `[::1]:5432`, `/run/postgresql:5432`."""
    place = f"[{host}]" if host and ":" in host else host
    return f"{place or 'localhost'}:{port or DEFAULT_PORT}"


def address_of(target: Target) -> str:
    """Return where libpq would connect to; `service x` where only its service file knows."""
    service = target.get("service") or os.environ.get("PGSERVICE")
    host = target.get("host") or target.get("hostaddr") or os.environ.get("PGHOST", "")
    if service and not host:
        return f"service {service}"
    hosts = host.split(",")
    ports = (target.get("port") or os.environ.get("PGPORT", "")).split(",")
    each = ports if len(ports) == len(hosts) else ports[:1] * len(hosts)
    return ", ".join(address(*place) for place in zip(hosts, each, strict=True))


def reason(said: str, target: Target, connect: timedelta) -> str:
    """Return why there is no connection, in one line without secrets.

    Args:
        said: libpq's message, which may be several lines and in the server's language.
        target: where we wanted to go.
        connect: the connect timeout.
    """
    where = _address_in(said) or address_of(target)
    for pattern, words in REASONS:
        if match := re.search(pattern, said):
            return f"{words.format(timed_out=timed_out(connect), **match.groupdict())} at {where}"
    return f"{own_words(said, target)} at {where}"


def _address_in(said: str) -> str:
    """Return the address that libpq tried last, which service files and defaults decide too."""
    if places := AT.findall(said):
        return address(*places[-1])
    return next(iter(ON.findall(said)), "")


def own_words(said: str, target: Target) -> str:
    """Return the last thing that libpq said, without its preface and without a password."""
    for secret in secrets_of(target.parameters):
        said = said.replace(secret, "…")
    last = said.strip().splitlines()[-1] if said.strip() else "no connection"
    return one_line(last.rpartition(" failed: ")[2].removeprefix("FATAL: "))

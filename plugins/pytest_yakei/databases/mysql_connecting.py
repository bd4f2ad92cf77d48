"""What PyMySQL is told to connect with, and what it means when it cannot."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pymysql.constants import CR, ER

from pytest_yakei.databases.failures import one_line, timed_out
from pytest_yakei.databases.urls import Target

NO_CODE = 0
"""What PyMySQL raises for a connection that it has already given up."""
REFUSALS = {
    ER.ACCESS_DENIED_ERROR: "authentication failed for user {user}",
    ER.DBACCESS_DENIED_ERROR: "user {user} has no right to database {database}",
    ER.BAD_DB_ERROR: "no such database {database}",
    ER.CON_COUNT_ERROR: "no connection is free",
    ER.HOST_IS_BLOCKED: "the server has blocked this host after many failed connections",
    CR.CR_SERVER_LOST: "closed without a MySQL greeting",
}
"""What the server's codes for a failed connection mean."""
UNDERSTOOD = (
    "bind_address",
    "charset",
    "database",
    "host",
    "password",
    "read_default_file",
    "read_default_group",
    "server_public_key",
    "ssl",
    "ssl_ca",
    "ssl_cert",
    "ssl_key",
    "ssl_key_password",
    "unix_socket",
    "user",
)
"""Parameters that are handed on to PyMySQL; an application's further ones are about its pool."""
SWITCHES = {
    "ssl_check_hostname": "ssl_verify_identity",
    "ssl_disabled": "ssl_disabled",
    "ssl_verify_cert": "ssl_verify_cert",
    "ssl_verify_identity": "ssl_verify_identity",
}
"""Parameters that a URL has as words, and PyMySQL's names for them."""
SSL_MODES: Mapping[str, dict[str, Any]] = {
    "DISABLED": {"ssl_disabled": True},
    "REQUIRED": {"ssl": {"verify_mode": "none"}},
    "VERIFY_CA": {"ssl_verify_cert": True},
    "VERIFY_IDENTITY": {"ssl_verify_cert": True, "ssl_verify_identity": True},
}
"""The `ssl_mode` of mysqlclient, and what PyMySQL is told for it."""


def parameters(target: Target) -> dict[str, Any]:
    """Return the target's parameters as PyMySQL has them.

    Raises:
        ValueError: the port is no number.
    """
    given = target.parameters
    known = {key: given[key] for key in UNDERSTOOD if key in given}
    switches = {
        ours: str(given[theirs]).lower() in {"1", "true", "yes", "on"}
        for theirs, ours in SWITCHES.items()
        if theirs in given
    }
    modes = SSL_MODES.get(target.get("ssl_mode").upper(), {})
    port = {"port": int(target.get("port"))} if target.get("port") else {}
    return {**known, **port, **modes, **switches}


def reason(error: Exception, connection: Any, connect: timedelta) -> str:
    """Return why there is no connection; PyMySQL's own texts hold no password."""
    cause = getattr(error, "original_exception", error)
    if isinstance(cause, OSError):
        return _of_system(cause, connect)
    words = {"user": text_of(connection.user), "database": text_of(connection.db)}
    known = REFUSALS.get(code_of(error))
    return known.format(**words) if known else said(error)


def _of_system(error: OSError, connect: timedelta) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, TimeoutError):
        return timed_out(connect)
    if isinstance(error, socket.gaierror):
        return "unknown host"
    if isinstance(error, FileNotFoundError):
        return "no server"
    return one_line(error.strerror or type(error).__name__)


def code_of(error: Exception) -> int:
    """Return the number of an error of PyMySQL; -1 for one that has none."""
    code = error.args[0] if error.args else NO_CODE
    return code if isinstance(code, int) else -1


def said(error: Exception) -> str:
    """Return the server's or the driver's own words."""
    return one_line(str(error.args[-1] if error.args else type(error).__name__))


def text_of(value: object) -> str:
    """Return a name as PyMySQL keeps it, which may be bytes."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")


def address_of(connection: Any) -> str:
    """Return a connection's socket, or its host and port."""
    return str(connection.unix_socket or f"{connection.host}:{connection.port}")

"""Where a database is, as people write it: URLs, libpq's key words, Django's and plain tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, unquote

from pytest_yakei.databases.database import Kind

KINDS: Mapping[str, Kind] = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "pgsql": "postgresql",
    "psql": "postgresql",
    "postgis": "postgresql",
    "mysql": "mysql",
    "mysql2": "mysql",
    "mariadb": "mysql",
    "sqlite": "sqlite",
    "sqlite3": "sqlite",
    "spatialite": "sqlite",
}
"""First words of URLs, and last words of Django's engines, and the kind that they mean."""
EXPECTED = "expected postgresql://…, mysql://… or sqlite:///…"

URL = re.compile(
    # A password may hold an @ or a / that somebody forgot to encode.
    r"(?P<scheme>[\w.+-]+)://"
    r"(?:(?P<user>[^:@/?]*)(?::(?P<password>[^/?]*|[^@]*))?@)?"
    r"(?P<hosts>[^/?@]*)(?:/(?P<database>[^?]*))?(?:\?(?P<query>.*))?",
    re.DOTALL,
)
HOST = re.compile(r"(?P<host>\[[^\]]*\]|[^:]*)(?::(?P<port>\d*))?")
CONNINFO = re.compile(r"\s*(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?=\s|$)")
"""One `key = value` of libpq: https://www.postgresql.org/docs/current/libpq-connect.html"""
SAME = {
    "username": "user",
    "passwd": "password",
    "dbname": "database",
    "db": "database",
    "name": "database",
    "socket": "unix_socket",
    "dsn": "url",
    "uri": "url",
}
"""Other spellings of a key, and ours."""
CONNECTING = ("host", "port", "user", "password", "database", "unix_socket")
"""A mapping's keys that matter here; an application's has others, such as CONN_MAX_AGE."""
NAMES_OF_KIND = ("engine", "driver", "drivername", "dialect", "adapter", "kind", "type")
KEYS = (*CONNECTING, *SAME, *NAMES_OF_KIND, "url", "options", "query", "path")
"""All that a table of the configuration may say of where a database is."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A database's kind and what it takes to connect to it."""

    kind: Kind
    parameters: Mapping[str, Any] = field(repr=False)
    """`host`, `port`, `user`, `password`, `database`, those that are known, and further ones that
    only the driver understands; all are strings when they come from a URL."""

    def __post_init__(self) -> None:
        """Protect the parameters from changes."""
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))

    def get(self, key: str) -> str:
        """Return a parameter as a string, empty if it is not given."""
        return str(self.parameters.get(key) or "")


def parse(target: str | Mapping[str, Any]) -> Target:
    """Return the database that a URL, a libpq connection string or a mapping names.

    A mapping is one of Django's DATABASES, one with a `url`, or one with `driver`, `host` and so
    on; a key beside a `url` wins over the URL's own.

    Raises:
        ValueError: it names none; the text holds no secret.
    """
    if isinstance(target, Mapping):
        return _from_mapping(target)
    if not isinstance(target, str):
        raise ValueError(f"{EXPECTED} or a table, got {type(target).__name__}")
    text = target.strip()
    if match := URL.fullmatch(text):
        return _from_url(match)
    if pairs := _conninfo(text):
        return Target(kind="postgresql", parameters=_renamed(pairs))
    raise ValueError(f"{EXPECTED}; what is given is no URL")


def _from_url(match: re.Match[str]) -> Target:
    kind = _kind(match["scheme"])
    if kind == "sqlite":
        return _sqlite(match["database"] or "")
    hosts, ports = _hosts(match["hosts"])
    query = dict(parse_qsl(match["query"] or "", keep_blank_values=True))
    given = {
        "host": hosts,
        "port": ports,
        "user": unquote(match["user"] or ""),
        "password": unquote(match["password"] or ""),
        "database": unquote(match["database"] or ""),
        **_renamed(query),
    }
    return Target(kind=kind, parameters={key: value for key, value in given.items() if value})


def _hosts(text: str) -> tuple[str, str]:
    """Return hosts and ports as libpq's key words have them: several are divided by commas."""
    places = [HOST.fullmatch(part) for part in text.split(",")]
    found = [place for place in places if place]
    if len(found) < len(places):
        raise ValueError(f"{EXPECTED} with host:port, where the port is a number")
    ports = [place["port"] or "" for place in found]
    hosts = [unquote(place["host"]).strip("[]") for place in found]
    return ",".join(hosts), ",".join(ports) if any(ports) else ""


def _from_mapping(given: Mapping[str, Any]) -> Target:
    entries = _renamed({str(key).lower(): value for key, value in given.items()})
    further = {**_table(entries.get("options")), **_table(entries.get("query"))}
    known = {key: entries[key] for key in CONNECTING if entries.get(key) not in (None, "")}
    if url := entries.get("url"):
        base = parse(str(url))
        return Target(kind=base.kind, parameters={**base.parameters, **_renamed(further), **known})
    kind = _kind(next((str(entries[name]) for name in NAMES_OF_KIND if entries.get(name)), ""))
    if kind == "sqlite":
        return _sqlite(str(known.get("database") or entries.get("path") or ""))
    if kind == "mysql" and str(known.get("host", "")).startswith("/"):
        known["unix_socket"] = known.pop("host")
    return Target(kind=kind, parameters={**_renamed(further), **known})


def _table(value: Any) -> dict[str, Any]:
    return {str(key): item for key, item in value.items()} if isinstance(value, Mapping) else {}


def _renamed(given: Mapping[str, Any]) -> dict[str, Any]:
    return {SAME.get(key, key): value for key, value in given.items()}


def _conninfo(text: str) -> dict[str, str]:
    pairs, position = {}, 0
    while match := CONNINFO.match(text, position):
        value = match[2] if match[2] is not None else match[3]
        pairs[match[1]] = re.sub(r"\\(.)", r"\1", value)
        position = match.end()
    return {} if text[position:].strip() else pairs


def _sqlite(path: str) -> Target:
    if not path or path.startswith((":memory:", "file:")):
        raise ValueError("expected sqlite:///relative.db or sqlite:////absolute.db, a file's path")
    return Target(kind="sqlite", parameters={"database": path})


def _kind(name: str) -> Kind:
    # postgresql+psycopg2, django.db.backends.mysql, mysql.connector.django
    words = re.split(r"[+.]", name.lower())
    for word in (words[0], *words[::-1]):
        if word in KINDS:
            return KINDS[word]
    raise ValueError(f'{EXPECTED}, got "{name}"' if name else f"{EXPECTED}, or a driver's name")


def file_of(target: Target, base: Path) -> Path:
    """Return the file of an SQLite database; a relative path starts at `base`."""
    return base / target.get("database")

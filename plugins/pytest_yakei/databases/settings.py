"""What `[databases]` says of one database: where it is, and how much may be asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from pytest_yakei.databases import urls
from pytest_yakei.databases.deadlines import Timeouts
from pytest_yakei.databases.passwords import secrets_of
from pytest_yakei.errors import NotConfigured
from yakei_shared.configuration import Configuration
from yakei_shared.errors import ConfigurationError
from yakei_shared.schema import refuse_unknown

USUAL_CONNECTIONS = 8
"""Connections to one server's database that nobody has to allow.

A server takes 100 (PostgreSQL) or 151 (MySQL) unless told otherwise, and they are the
application's: a suite that took one for each of its slots would be what it should warn of. Eight
statements under way keep the processors of most servers busy, so more would not end sooner.
"""


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """The keys of `[databases.NAME]` that are ours: how many connections, and how long to wait."""

    max_connections: int | None = None
    connect_timeout: timedelta = Timeouts.connect
    statement_timeout: timedelta = Timeouts.statement

    def __post_init__(self) -> None:
        """Refuse what would leave every check unjudged."""
        if self.max_connections is not None and self.max_connections < 1:
            raise ValueError("max_connections: expected at least 1")
        for key in ("connect_timeout", "statement_timeout"):
            if not getattr(self, key):
                raise ValueError(f"{key}: expected a time longer than nothing")


_OURS = tuple(Allowance.__dataclass_fields__)


@dataclass(frozen=True)
class ConfiguredDatabase:
    """One database of the configuration, its references resolved."""

    name: str
    target: urls.Target
    allowance: Allowance
    base: Path
    """The folder in which a relative path of an SQLite database starts."""

    @property
    def resource(self) -> str:
        """Its name as a resource: `database main`."""
        return f"database {self.name}"

    @property
    def timeouts(self) -> Timeouts:
        """How long to wait for it."""
        given = self.allowance
        return replace(Timeouts(), connect=given.connect_timeout, statement=given.statement_timeout)

    @property
    def max_connections(self) -> int | None:
        """How many connections all checks at once may hold; None for a file, which has none."""
        usual = None if self.target.kind == "sqlite" else USUAL_CONNECTIONS
        return self.allowance.max_connections or usual


def read_database(configuration: Configuration, name: str) -> ConfiguredDatabase:
    """Return one database of `[databases]`, checked; its passwords are learnt as secrets.

    Raises:
        NotConfigured: there is none of this name.
        ConfigurationError: what is there names no database, or a key is unknown or impossible.
    """
    databases = configuration.entries("databases")
    if name not in databases:
        known = ", ".join(databases) or "none"
        problem = f"not in {configuration.path}; configured databases: {known}"
        raise NotConfigured(f"databases.{name}", problem)
    key = f"databases.{name}"
    given, own = _divided(configuration, databases[name], key)
    if not isinstance(given, str | Mapping):
        problem = "expected a URL or a table with one"
        raise ConfigurationError(configuration.path, key, problem)
    for secret in secrets_of(given):
        configuration.redactor.learn(secret)
    try:
        target = urls.parse(given)
    except ValueError as error:
        raise ConfigurationError(configuration.path, key, str(error)) from None
    allowance = configuration.build(Allowance, own, key)
    return ConfiguredDatabase(name, target, allowance, configuration.base)


def _divided(configuration: Configuration, raw: object, key: str) -> tuple[Any, dict[str, Any]]:
    """Return where the database is, and the keys that are ours.

    Only a table of the file has keys of ours: one of the application's settings may use the same
    words for its own pool.
    """
    if not isinstance(raw, Mapping):
        return configuration.resolve(raw, key), {}
    known = {*_OURS, *urls.KEYS}
    refuse_unknown((each.lower() for each in raw), known, configuration.path, f"{key}.")
    own = {name: value for name, value in raw.items() if name in _OURS}
    rest = {
        name: configuration.resolve(value, f"{key}.{name}")
        for name, value in raw.items()
        if name not in _OURS
    }
    url = rest.get("url")
    if isinstance(url, Mapping):  # a reference to a whole entry, such as Django's
        return {**url, **{name: value for name, value in rest.items() if name != "url"}}, own
    return rest, own

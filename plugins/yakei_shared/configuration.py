"""The configuration file: found, parsed, and handed out as checked settings."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from yakei_shared.application import AppConfig, load_application
from yakei_shared.errors import ConfigurationError, MissingConfigurationError
from yakei_shared.redaction import Redactor
from yakei_shared.references import Resolver
from yakei_shared.schema import Schema

S = TypeVar("S")

FILE_NAME = "yakei.toml"
RUNNER_TABLES = ("run", "alerts", "notify", "routes", "maintenance", "heartbeat")
"""The top-level tables that the runner reads; the plugin reads all others."""
_TABLE = re.compile(rb"""(?m)^\s*\[{1,2}\s*["']?tool["']?\s*\.\s*["']?yakei["']?\s*[.\]]""")
"""`[tool.yakei]`, or a table in it; another tool's name may begin like ours."""


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """`[run]`: where the checks are, how long they may take, and where the state is kept."""

    monitors: tuple[Path, ...] = (Path("monitors"),)
    interval: timedelta = timedelta(minutes=5)
    deadline: timedelta = timedelta(minutes=4)
    timeout: timedelta = timedelta(seconds=30)
    slots: int = 16
    confirm_after: timedelta = timedelta(seconds=10)
    state: Path = Path(".yakei")
    keep: timedelta = timedelta(days=90)
    max_size_mb: int = 500
    log: Path | None = None
    host: str | None = None
    owner: str | None = None
    allow_skips: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what could never work."""
        for key in ("interval", "deadline", "timeout"):
            if not getattr(self, key):
                raise ValueError(f"{key}: expected a time longer than nothing")
        if not self.monitors:
            raise ValueError("monitors: expected at least one folder or file")
        if self.slots < 1:
            raise ValueError("slots: expected at least 1")
        if self.keep < timedelta(days=1):
            raise ValueError("keep: expected at least 1d")
        if self.max_size_mb < 1:
            raise ValueError("max_size_mb: expected at least 1")
        if "postgresql:" in str(self.state):
            raise ValueError("state: expected a folder; a shared PostgreSQL state is not built yet")


@dataclass(frozen=True, kw_only=True)
class AppSettings:
    """`[app]`: where the application's own settings are."""

    config: str


class Configuration:
    """One configuration file, its references resolved on demand."""

    def __init__(
        self,
        path: Path,
        tables: Mapping[str, Any],
        *,
        environment: Mapping[str, str] = os.environ,
        redactor: Redactor | None = None,
    ) -> None:
        self.path = path
        self.tables = tables
        self.redactor = redactor or Redactor()
        self.resolver = Resolver(
            path,
            application=lambda: self.application,
            environment=environment,
            redactor=self.redactor,
        )
        self._schema = Schema(path, self.resolver)

    @property
    def base(self) -> Path:
        """The folder that relative paths are relative to."""
        return self.path.parent

    @cached_property
    def application(self) -> AppConfig:
        """The application's own settings.

        Raises:
            ConfigurationError: there is no `[app] config`, or it cannot be read.
        """
        if "app" not in self.tables:
            problem = 'missing; write [app] and config = "path/to/the/settings" to use app: values'
            raise MissingConfigurationError(self.path, "app.config", problem)
        settings = self._schema.build(AppSettings, self.tables["app"], "app")
        application = load_application(settings.config, self.base, str(self.path))
        self.redactor.learn_settings(application.settings)
        return application

    @property
    def application_was_read(self) -> bool:
        """Whether anything has needed the application's own settings yet."""
        return "application" in self.__dict__

    @cached_property
    def run(self) -> RunSettings:
        """The `[run]` table, with defaults where it is silent; paths are absolute."""
        table = {"monitors": ["monitors"], "state": ".yakei", **self._table("run")}
        return self._schema.build(RunSettings, table, "run")

    def section(self, cls: type[S], name: str) -> S:
        """Return the settings of one table; an absent table gives all the defaults."""
        return self._schema.build(cls, self._table(name), name)

    def build(self, cls: type[S], table: object, prefix: str) -> S:
        """Return the settings of a table that stands at `prefix`."""
        return self._schema.build(cls, table, prefix)

    def resolve(self, value: object, key: str, *, secret: bool = False) -> object:
        """Return a single value, its reference resolved."""
        return self.resolver.resolve(value, key, secret=secret)

    def value(self, raw: object, hint: Any, key: str) -> Any:
        """Return a single value of the hinted type, its reference resolved."""
        return self._schema.value(raw, hint, key)

    def entries(self, name: str) -> Mapping[str, Any]:
        """Return the tables below `[name]`, by name; none when the section is absent.

        Raises:
            ConfigurationError: the section is there and empty: nothing would be watched.
        """
        if name not in self.tables:
            return {}
        table = self._table(name)
        if not table:
            raise ConfigurationError(self.path, name, f"0 {name} configured; remove the section")
        return table

    def _table(self, name: str) -> Mapping[str, Any]:
        table = self.tables.get(name, {})
        if not isinstance(table, Mapping):
            raise ConfigurationError(self.path, name, "expected a table")
        return table


def find_configuration(start: Path) -> Path | None:
    """Return the nearest yakei.toml, or pyproject.toml with [tool.yakei], from here upwards."""
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
        project = folder / "pyproject.toml"
        if project.is_file() and _TABLE.search(project.read_bytes()):
            return project
    return None


def locate_configuration(named: Path | None) -> Path:
    """Return the file that was named, or the nearest one from the working directory upwards.

    Raises:
        MissingConfigurationError: there is none.
    """
    path = named.absolute() if named else find_configuration(Path.cwd())
    if path is None:
        problem = f"no {FILE_NAME} from here upwards; `yakei init` writes one"
        raise MissingConfigurationError(Path.cwd() / FILE_NAME, "", problem)
    return path


def load_configuration(path: Path, *, redactor: Redactor | None = None) -> Configuration:
    """Read a configuration file.

    Raises:
        ConfigurationError: it cannot be read or does not parse; the text has line and column.
    """
    import tomllib  # the plugin also loads where nobody has a configuration

    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(path, "", f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(path, "", f"is not UTF-8 text: {error.reason}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(path, "", f"does not parse: {error}") from None
    if path.name == "pyproject.toml":
        tables = tables.get("tool", {}).get("yakei", {})
    return Configuration(path.absolute(), tables, redactor=redactor)

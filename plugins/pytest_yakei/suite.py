"""What the checks of one pytest session share: configuration, connections, memories, secrets."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_yakei.errors import NotConfigured, ResourceUnavailable
from pytest_yakei.sections import SECTIONS, Entry, EntrySettings, Section, read_entry
from pytest_yakei.sections import common_settings as read_common_settings
from yakei_shared.configuration import (
    FILE_NAME,
    RUNNER_TABLES,
    Configuration,
    find_configuration,
    load_configuration,
)
from yakei_shared.errors import ConfigurationError, MissingConfigurationError
from yakei_shared.redaction import Redactor
from yakei_shared.references import SCHEMES
from yakei_shared.schema import refuse_unknown

if TYPE_CHECKING:
    from pytest_yakei.databases import Database

suite_key = pytest.StashKey["Suite"]()


class Suite:
    """Opens nothing and reads nothing until a check, or the runner, asks.

    Attributes:
        in_runner: whether `yakei run` called: then what is not configured is an error.
        redactor: knows every secret that the session has met.
    """

    def __init__(self, *, config_file: Path | None, start: Path, in_runner: bool) -> None:
        self._config_file = config_file
        self._start = start
        self.in_runner = in_runner
        self.redactor = Redactor()
        self._databases: dict[str, Database] = {}
        self._unavailable: dict[str, ResourceUnavailable] = {}
        self._entries: dict[tuple[str, str], Entry] = {}

    @cached_property
    def configuration(self) -> Configuration:
        """The configuration file, checked for unknown tables.

        Raises:
            ConfigurationError: there is none, or it cannot be used.
        """
        path = self._config_file or find_configuration(self._start)
        if path is None:
            problem = f"no {FILE_NAME} from here upwards; `yakei init` writes one"
            raise MissingConfigurationError(self._start / FILE_NAME, "", problem)
        configuration = load_configuration(path, redactor=self.redactor)
        known = ("app", "databases", *RUNNER_TABLES, *(section.name for section in SECTIONS))
        refuse_unknown(configuration.tables, known, configuration.path, "")
        return configuration

    @property
    def asked(self) -> bool:
        """Whether anything of this session has needed the configuration yet."""
        return "configuration" in self.__dict__

    def check_configuration(self) -> None:
        """Read every table that the checks could ask for, so that a mistake is known at once."""
        _ = self.configuration.run
        if "app" in self.configuration.tables:
            _ = self.configuration.application  # its secrets must be known whoever prints them
        self._learn_secrets(self.configuration.tables.get("notify"), "notify")
        self._learn_secrets(self.configuration.tables.get("heartbeat"), "heartbeat")
        for name in self.configuration.entries("databases"):
            self._database_target(name)
        for section in SECTIONS:
            for name in self.configuration.entries(section.name):
                self.entry(section, name)

    def entry_names(self, section: Section) -> list[str]:
        """Return the names of a section's entries, in the file's order."""
        return list(self.configuration.entries(section.name))

    def common_settings(self, section: Section, name: str) -> EntrySettings:
        """Return owner, severity and the like of an entry, without resolving its other keys."""
        return read_common_settings(self.configuration, section, name)

    def entry(self, section: Section, name: str) -> Entry:
        """Return one entry of a section, read once."""
        key = (section.name, name)
        if key not in self._entries:
            self._entries[key] = read_entry(self.configuration, section, name)
        return self._entries[key]

    @cached_property
    def memories(self) -> Mapping[str, dict[str, Any]]:
        """What the runner last kept of each check, by its id."""
        from yakei_shared.history import read_memories

        return read_memories(self.configuration.run.state)

    def database(self, name: str) -> Database:
        """Return our own read-only connection to a configured database, opened once.

        Raises:
            NotConfigured: `[databases]` has no such name.
            ResourceUnavailable: it cannot be reached; it is tried once in a session.
        """
        if name in self._unavailable:
            raise self._unavailable[name]
        if name not in self._databases:
            from pytest_yakei.databases import connect

            target = self._database_target(name)
            try:
                self._databases[name] = connect(name, target, base=self.configuration.base)
            except ResourceUnavailable as error:
                self._unavailable[name] = error
                raise
        return self._databases[name]

    def lost(self, error: ResourceUnavailable) -> None:
        """Remember that a resource went away, so that nobody waits for it a second time."""
        name = error.resource.removeprefix("database ")
        if self._databases.pop(name, None):
            self._unavailable[name] = error

    def close(self) -> None:
        """Close every connection."""
        while self._databases:
            _, database = self._databases.popitem()
            database.close()

    def _learn_secrets(self, value: object, key: str) -> None:
        """Learn what the runner alone uses, for a check may show it: `os.environ` has it, too."""
        if isinstance(value, Mapping):
            for name, item in value.items():
                self._learn_secrets(item, f"{key}.{name}")
        elif isinstance(value, str):
            secret = value.startswith(SCHEMES) or "://" in value
            with suppress(ConfigurationError):  # the runner has told it, or nobody uses it
                self.configuration.resolve(value, key, secret=secret)

    def _database_target(self, name: str) -> Any:
        from pytest_yakei.databases import check_target, secrets_of

        databases = self.configuration.entries("databases")
        if name not in databases:
            known = ", ".join(databases) or "none"
            problem = f"not in {self.configuration.path}; configured databases: {known}"
            raise NotConfigured(f"databases.{name}", problem)
        key = f"databases.{name}"
        target = self.configuration.resolve(databases[name], key)
        if not isinstance(target, str | Mapping):
            problem = "expected a URL or a table with one"
            raise ConfigurationError(self.configuration.path, key, problem)
        for secret in secrets_of(target):
            self.redactor.learn(secret)
        try:
            check_target(target)
        except ValueError as error:
            raise ConfigurationError(self.configuration.path, key, str(error)) from None
        return target

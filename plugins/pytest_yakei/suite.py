"""What the checks of one pytest session share: configuration, connections, memories, secrets."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_yakei.errors import ResourceUnavailable
from pytest_yakei.sections import SECTIONS, Entry, EntrySettings, Section, read_entry
from pytest_yakei.sections import common_settings as read_common_settings
from pytest_yakei.uses import unknown_in_entries
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
    from pytest_yakei.databases.connections import Connections
    from pytest_yakei.databases.settings import ConfiguredDatabase

suite_key = pytest.StashKey["Suite"]()


@dataclass(frozen=True, kw_only=True)
class ResourceSettings:
    """`[resources.NAME]`: what checks name with the marker `resource`."""

    max_concurrent: int

    def __post_init__(self) -> None:
        """Refuse what would leave every check waiting."""
        if self.max_concurrent < 1:
            raise ValueError("max_concurrent: expected at least 1")


class Suite:
    """Opens nothing and reads nothing until a check, or the runner, asks.

    Attributes:
        in_runner: whether `yakei run` called: then what is not configured is an error.
        elsewhere: where the last runs were remembered, while the state could not be written.
        redactor: knows every secret that the session has met.
    """

    def __init__(
        self,
        *,
        config_file: Path | None,
        start: Path,
        in_runner: bool,
        elsewhere: Path | None = None,
    ) -> None:
        self._config_file = config_file
        self._start = start
        self.in_runner = in_runner
        self.elsewhere = elsewhere
        self.redactor = Redactor()
        self._databases: dict[str, ConfiguredDatabase] = {}
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
        sections = (section.name for section in SECTIONS)
        known = ("app", "databases", "resources", *RUNNER_TABLES, *sections)
        refuse_unknown(configuration.tables, known, configuration.path, "")
        return configuration

    @property
    def asked(self) -> bool:
        """Whether anything of this session has needed the configuration yet."""
        return "configuration" in self.__dict__

    @property
    def keeps_secrets(self) -> bool:
        """Whether what is shown must be searched for secrets: some may be known, here or to a slot.

        An application's ordinary suite, which asks for nothing of ours, is shown as it is.
        """
        return self.asked or self.in_runner or self.redactor.knows_secrets

    def check_configuration(self) -> None:
        """Read every table that the checks could ask for, so that a mistake is known at once."""
        _ = self.configuration.run
        if "app" in self.configuration.tables:
            _ = self.configuration.application  # its secrets must be known whoever prints them
        self._learn_secrets(self.configuration.tables.get("notify"), "notify")
        self._learn_secrets(self.configuration.tables.get("heartbeat"), "heartbeat")
        for name in self.configuration.entries("databases"):
            self.configured_database(name)
        _ = self.resource_limits
        for section in SECTIONS:
            for name in self.configuration.entries(section.name):
                self.entry(section, name)
        for key, mistake in unknown_in_entries(self.configuration):
            raise ConfigurationError(self.configuration.path, key, mistake)

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
    def resource_limits(self) -> Mapping[str, int | None]:
        """`[resources.NAME]`: how many checks at once may need what is called so."""
        build, tables = self.configuration.build, self.configuration.entries("resources")
        return {
            name: build(ResourceSettings, table, f"resources.{name}").max_concurrent
            for name, table in tables.items()
        }

    @cached_property
    def memories(self) -> Mapping[str, dict[str, Any]]:
        """What the runner last kept of each check, by its id."""
        from yakei_shared.history import read_memories

        kept = read_memories(self.configuration.run.state)
        return kept | read_memories(self.elsewhere) if self.elsewhere else kept

    @cached_property
    def connections(self) -> Connections:
        """The connections of this process to the configured databases."""
        from pytest_yakei.databases.connections import Connections

        return Connections(self.configured_database)

    def configured_database(self, name: str) -> ConfiguredDatabase:
        """Return what the configuration says of a database, read once.

        Raises:
            NotConfigured: `[databases]` has no such name.
            ConfigurationError: what it has cannot be used.
        """
        if name not in self._databases:
            from pytest_yakei.databases.settings import read_database

            self._databases[name] = read_database(self.configuration, name)
        return self._databases[name]

    def database(self, name: str) -> Database:
        """Return our own read-only connection to a configured database.

        Raises:
            NotConfigured: `[databases]` has no such name.
            ResourceUnavailable: it cannot be reached.
        """
        return self.connections.get(name)

    def lost(self, error: ResourceUnavailable) -> None:
        """Remember that a resource went away, so that nobody waits for it a second time."""
        self.connections.lost(error)

    def close(self) -> None:
        """Close every connection."""
        if "connections" in self.__dict__:
            self.connections.close()

    def _learn_secrets(self, value: object, key: str) -> None:
        """Learn what the runner alone uses, for a check may show it: `os.environ` has it, too."""
        if isinstance(value, Mapping):
            for name, item in value.items():
                self._learn_secrets(item, f"{key}.{name}")
        elif isinstance(value, str):
            secret = value.startswith(SCHEMES) or "://" in value
            with suppress(ConfigurationError):  # the runner has told it, or nobody uses it
                self.configuration.resolve(value, key, secret=secret)

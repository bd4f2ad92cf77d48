"""Which section of the configuration feeds which fixture, and the probe that answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from yakei_shared.thresholds import parse_threshold

if TYPE_CHECKING:
    from types import ModuleType

    from yakei_shared.configuration import Configuration


@dataclass(frozen=True)
class Section:
    """`[queues.NAME]` entries become values of the fixture `queue`."""

    name: str
    fixture: str
    probe: str
    """The module with `Settings` and `probe`, or with `KINDS` of such modules."""

    def label_of(self, entry: str) -> str:
        """Return what people call an entry of this section: `queue analyze_page`."""
        return f"{self.fixture.replace('_', ' ')} {entry}"


SECTIONS = (
    Section("queues", "queue", "pytest_yakei.probes.queues"),
    Section("backups", "backup", "pytest_yakei.probes.backups"),
    Section("pidfiles", "pidfile", "pytest_yakei.probes.pidfiles"),
    Section("lockfiles", "lockfile", "pytest_yakei.probes.lockfiles"),
    Section("database_locks", "database_locks", "pytest_yakei.probes.database_locks"),
    Section("slony", "slony", "pytest_yakei.probes.slony"),
)
BY_FIXTURE = {section.fixture: section for section in SECTIONS}


@dataclass(frozen=True, kw_only=True)
class EntrySettings:
    """The keys that every entry of every section may have."""

    owner: str | None = None
    severity: Literal["critical", "warning"] | None = None
    runbook: str | None = None
    every: timedelta | None = None
    timeout: timedelta | None = None
    failure_threshold: object = None
    """`3`, or `"3 of 5"`."""
    depends_on: tuple[str, ...] = ()
    low_priority: bool | None = None

    def __post_init__(self) -> None:
        """Refuse a threshold that no run can reach."""
        if self.failure_threshold is None:
            return
        try:
            parse_threshold(self.failure_threshold)
        except ValueError as error:
            raise ValueError(f"failure_threshold: {error}") from None


_COMMON = tuple(EntrySettings.__dataclass_fields__)


@dataclass(frozen=True)
class Entry:
    """One configured thing: its common keys, its own settings and the module that probes it."""

    section: Section
    name: str
    common: EntrySettings
    settings: Any
    module: ModuleType

    @property
    def label(self) -> str:
        """The thing as people call it: `queue analyze_page`."""
        return self.section.label_of(self.name)


def common_settings(configuration: Configuration, section: Section, name: str) -> EntrySettings:
    """Return the keys of an entry that say whose it is and how much it matters."""
    prefix = f"{section.name}.{name}"
    table = _table(configuration, section, name)
    common = {key: value for key, value in table.items() if key in _COMMON}
    return configuration.build(EntrySettings, common, prefix)


def read_entry(configuration: Configuration, section: Section, name: str) -> Entry:
    """Return one entry, checked.

    Raises:
        ConfigurationError: a key of the entry is unknown, missing or impossible.
    """
    prefix = f"{section.name}.{name}"
    table = _table(configuration, section, name)
    own = {key: value for key, value in table.items() if key not in _COMMON}
    module = import_module(section.probe)
    if hasattr(module, "KINDS"):
        kinds = tuple(module.KINDS)
        kind = configuration.value(own.pop("kind", None), Literal[kinds], f"{prefix}.kind")
        module = import_module(module.KINDS[kind])
    common = common_settings(configuration, section, name)
    settings = configuration.build(module.Settings, own, prefix)
    return Entry(section, name, common, settings, module)


def _table(configuration: Configuration, section: Section, name: str) -> dict[str, Any]:
    from yakei_shared.errors import ConfigurationError

    table = configuration.entries(section.name)[name]
    if not isinstance(table, dict):
        prefix = f"{section.name}.{name}"
        problem = f"expected a table [{prefix}] of its own; is a name missing in [{section.name}]?"
        raise ConfigurationError(configuration.path, prefix, problem)
    return dict(table)

"""What the runner reads from the configuration: alerts, notifiers, routes and the heartbeat."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from yakei.alert_settings import AlertSettings, read_maintenance
from yakei.incidents.policy import Maintenance, Policy
from yakei.notifiers import KINDS, Notifier
from yakei.route_settings import read_routes, refuse_forgotten_owners
from yakei.routes import Route, Routing
from yakei_shared.configuration import Configuration, RunSettings, load_configuration
from yakei_shared.errors import ConfigurationError

if TYPE_CHECKING:
    from yakei.heartbeat import Heartbeat

T = TypeVar("T")

_RECOVERY = "recovery"


@dataclass(frozen=True, kw_only=True)
class HeartbeatSettings:
    """`[heartbeat]`: who hears that a whole cycle has finished."""

    url: str = field(repr=False, metadata={"secret": True})

    def __post_init__(self) -> None:
        """Refuse an address that cannot be called."""
        _heartbeat(self.url)


@dataclass(frozen=True, kw_only=True)
class RunnerSettings:
    """All that one cycle needs to know."""

    configuration: Configuration
    run: RunSettings
    alerts: AlertSettings
    notifiers: tuple[Notifier, ...]
    routes: tuple[Route, ...]
    heartbeat: Heartbeat | None
    maintenance: tuple[Maintenance, ...] = ()
    recoveries: Mapping[str, bool] = field(default_factory=dict)
    """Which notifiers want recoveries, where their own tables say so."""

    @property
    def root(self) -> Path:
        """The folder that the checks' ids begin in: the configuration's, as long as it has them."""
        return Path(os.path.commonpath([self.configuration.base, *self.run.monitors]))

    @property
    def channels(self) -> tuple[str, ...]:
        """The names of all notifiers that the configuration has, also of those with a mistake."""
        nothing: Mapping[str, Any] = {}
        return tuple(_usable(lambda: self.configuration.entries("notify"), nothing))

    @property
    def routing(self) -> Routing:
        """Who hears about what."""
        return Routing(routes=self.routes, notifiers=tuple(each.name for each in self.notifiers))

    @property
    def policy(self) -> Policy:
        """How loud to be."""
        alerts = self.alerts
        return Policy(
            failure_threshold=alerts.threshold.failures,
            failure_window=alerts.threshold.window,
            recover_after=alerts.recover_after,
            reminder_interval=alerts.reminder_interval,
            recovery=alerts.recovery,
            recoveries=self.recoveries,
            quiet_hours=alerts.quiet,
            maintenance=self.maintenance,
            routing=self.routing,
            owner=self.run.owner,
            interval=self.run.interval,
            allow_skips=self.run.allow_skips,
            zone=alerts.zone,
        )


def read_settings(configuration: Configuration) -> RunnerSettings:
    """Return the checked settings of the runner.

    Raises:
        ConfigurationError: a key is unknown, missing or impossible, or a reference leads nowhere.
    """
    notifiers = tuple(read_notifiers(configuration))
    heartbeat = None
    if "heartbeat" in configuration.tables:
        heartbeat = _heartbeat(configuration.section(HeartbeatSettings, "heartbeat").url)
    settings = RunnerSettings(
        configuration=configuration,
        run=configuration.run,
        alerts=configuration.section(AlertSettings, "alerts"),
        notifiers=notifiers,
        routes=read_routes(configuration, [each.name for each in notifiers]),
        heartbeat=heartbeat,
        maintenance=tuple(read_maintenance(configuration)),
        recoveries=dict(_read_recoveries(configuration)),
    )
    refuse_forgotten_owners(configuration, settings.routing)
    return settings


def _heartbeat(url: str) -> Heartbeat:
    from yakei.heartbeat import Heartbeat  # with it, all that speaks HTTP: not every run does

    return Heartbeat(url)


def read_notifiers(configuration: Configuration) -> Iterable[Notifier]:
    """Return the configured channels, in the file's order.

    Raises:
        ConfigurationError: one of them cannot be used.
    """
    tables = configuration.entries("notify")
    for name in tables:
        yield _read_notifier(configuration, name, tables[name])


def usable_settings(path: Path) -> RunnerSettings:
    """Return what can be used of a configuration that has a mistake in it, defaults for the rest.

    So that people can be told of the mistake.
    """
    try:
        configuration = load_configuration(path)
    except ConfigurationError:
        configuration = Configuration(path, {})
    return RunnerSettings(
        configuration=configuration,
        run=_usable_keys(configuration, "run", lambda known: known.run),
        alerts=_usable_keys(
            configuration, "alerts", lambda known: known.section(AlertSettings, "alerts")
        ),
        notifiers=tuple(_usable_notifiers(configuration)),
        routes=(),
        heartbeat=None,
        maintenance=_usable(lambda: tuple(read_maintenance(configuration)), ()),
    )


def _usable_keys(configuration: Configuration, name: str, read: Callable[[Configuration], T]) -> T:
    """Return a table's settings, with the defaults for its keys that cannot be used.

    Where the state is, who `host` is, and what is kept quiet holds in spite of a mistake beside it.
    """
    path, redactor = configuration.path, configuration.redactor
    table = configuration.tables.get(name)
    left = dict(table) if isinstance(table, Mapping) else {}
    while left:
        try:
            tables = {**configuration.tables, name: left}
            return read(Configuration(path, tables, redactor=redactor))
        except ConfigurationError as error:
            left = _without(left, error.key.removeprefix(f"{name}."))
    return read(Configuration(path, {}))


def _without(table: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return a table without the key of a mistake, or without what the application was to give.

    Nothing is left where the mistake is in neither.
    """
    own = key if key in table else re.split(r"[.\[]", key)[0]
    if own in table:
        return {each: value for each, value in table.items() if each != own}
    rest = {each: value for each, value in table.items() if not _asks_application(value)}
    return rest if len(rest) < len(table) else {}


def _asks_application(value: object) -> bool:
    return any(
        str(each).startswith("app:") for each in (value if isinstance(value, list) else [value])
    )


def _usable(read: Callable[[], T], otherwise: T) -> T:
    try:
        return read()
    except ConfigurationError:
        return otherwise


def _usable_notifiers(configuration: Configuration) -> Iterable[Notifier]:
    nothing: Mapping[str, Any] = {}
    tables = _usable(lambda: configuration.entries("notify"), nothing)
    for name in tables:
        try:
            yield _read_notifier(configuration, name, tables[name])
        except ConfigurationError:
            continue  # the first mistake of the file is what the message is about


def _read_notifier(configuration: Configuration, name: str, table: object) -> Notifier:
    prefix = f"notify.{name}"
    if not isinstance(table, Mapping):
        raise ConfigurationError(configuration.path, prefix, f"expected a table [{prefix}]")
    own: dict[str, Any] = {key: value for key, value in table.items() if key != _RECOVERY}
    kinds = tuple(KINDS)
    if "kind" not in own and name not in kinds:
        problem = f"missing, and {name} is no kind of notifier; one of {', '.join(kinds)}"
        raise ConfigurationError(configuration.path, f"{prefix}.kind", problem)
    kind = configuration.value(own.pop("kind", name), Literal[kinds], f"{prefix}.kind")
    module = import_module(KINDS[kind])
    notifier: Notifier = module.notifier(name, configuration.build(module.Settings, own, prefix))
    return notifier


def _read_recoveries(configuration: Configuration) -> Iterable[tuple[str, bool]]:
    """Give what notifiers' tables say of recoveries: a key that every kind of them has."""
    for name, table in configuration.entries("notify").items():
        if _RECOVERY in table:
            key = f"notify.{name}.{_RECOVERY}"
            yield name, configuration.value(table[_RECOVERY], bool, key)

"""What the runner reads from the configuration: alerts, notifiers, routes and the heartbeat."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, TypeVar

from yakei.heartbeat import Heartbeat
from yakei.notifiers import KINDS, Notifier
from yakei.routes import Route
from yakei_shared.configuration import Configuration, RunSettings, load_configuration
from yakei_shared.errors import ConfigurationError

T = TypeVar("T")

_QUIET_HOURS = re.compile(r"((?:[01]\d|2[0-3]):[0-5]\d)-((?:[01]\d|2[0-3]):[0-5]\d)")


@dataclass(frozen=True, kw_only=True)
class AlertSettings:
    """`[alerts]`: when an incident is told, and told again."""

    failure_threshold: int = 1
    reminder_interval: timedelta = timedelta(hours=1)
    recovery: bool = False
    quiet_hours: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no run can reach, and hours that are no hours."""
        if self.failure_threshold < 1:
            raise ValueError("failure_threshold: expected at least 1")
        _ = self.quiet

    @property
    def quiet(self) -> tuple[time, time] | None:
        """From when until when warnings wait, in the host's own zone."""
        if self.quiet_hours is None:
            return None
        match = _QUIET_HOURS.fullmatch(self.quiet_hours)
        if match is None:
            expected = 'expected hours such as "23:00-07:00"'
            raise ValueError(f'quiet_hours: {expected}, got "{self.quiet_hours}"')
        return time.fromisoformat(match[1]), time.fromisoformat(match[2])


@dataclass(frozen=True, kw_only=True)
class HeartbeatSettings:
    """`[heartbeat]`: who hears that a whole cycle has finished."""

    url: str = field(repr=False, metadata={"secret": True})

    def __post_init__(self) -> None:
        """Refuse an address that cannot be called."""
        Heartbeat(self.url)


@dataclass(frozen=True, kw_only=True)
class RunnerSettings:
    """All that one cycle needs to know."""

    configuration: Configuration
    run: RunSettings
    alerts: AlertSettings
    notifiers: tuple[Notifier, ...]
    routes: tuple[Route, ...]
    heartbeat: Heartbeat | None

    @property
    def root(self) -> Path:
        """The folder that the checks' ids begin in: the configuration's, as long as it has them."""
        return Path(os.path.commonpath([self.configuration.base, *self.run.monitors]))


def read_settings(configuration: Configuration) -> RunnerSettings:
    """Return the checked settings of the runner.

    Raises:
        ConfigurationError: a key is unknown, missing or impossible, or a reference leads nowhere.
    """
    notifiers = tuple(read_notifiers(configuration))
    heartbeat = None
    if "heartbeat" in configuration.tables:
        heartbeat = Heartbeat(configuration.section(HeartbeatSettings, "heartbeat").url)
    return RunnerSettings(
        configuration=configuration,
        run=configuration.run,
        alerts=configuration.section(AlertSettings, "alerts"),
        notifiers=notifiers,
        routes=tuple(_read_routes(configuration, [each.name for each in notifiers])),
        heartbeat=heartbeat,
    )


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
        run=_usable(lambda: configuration.run, Configuration(path, {}).run),
        alerts=_usable(lambda: configuration.section(AlertSettings, "alerts"), AlertSettings()),
        notifiers=tuple(_usable_notifiers(configuration)),
        routes=(),
        heartbeat=None,
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
    own: dict[str, Any] = {**table}
    kinds = tuple(KINDS)
    if "kind" not in own and name not in kinds:
        problem = f"missing, and {name} is no kind of notifier; one of {', '.join(kinds)}"
        raise ConfigurationError(configuration.path, f"{prefix}.kind", problem)
    kind = configuration.value(own.pop("kind", name), Literal[kinds], f"{prefix}.kind")
    module = import_module(KINDS[kind])
    notifier: Notifier = module.notifier(name, configuration.build(module.Settings, own, prefix))
    return notifier


def _read_routes(configuration: Configuration, notifiers: list[str]) -> Iterable[Route]:
    tables = configuration.tables.get("routes", [])
    if not isinstance(tables, list):
        raise ConfigurationError(configuration.path, "routes", "expected tables [[routes]]")
    for number, table in enumerate(tables):
        route = configuration.build(Route, table, f"routes[{number}]")
        if unknown := [name for name in route.notify if name not in notifiers]:
            known = ", ".join(notifiers) or "none"
            problem = f"no [notify.{unknown[0]}]; configured: {known}"
            raise ConfigurationError(configuration.path, f"routes[{number}].notify", problem)
        yield route

"""Reads the `[[routes]]`, and refuses routes and owners that lead nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from yakei.routes import Route, Routing
from yakei_shared.configuration import RUNNER_TABLES, Configuration
from yakei_shared.errors import ConfigurationError

_UNWATCHED = {*RUNNER_TABLES, "app", "databases"}
"""The tables in which there is nothing that is watched."""


def read_routes(configuration: Configuration, notifiers: Sequence[str]) -> tuple[Route, ...]:
    """Return the routes, in the file's order.

    Args:
        configuration: the whole file.
        notifiers: the names that routes may lead to.

    Raises:
        ConfigurationError: one of them leads nowhere, or could never be used.
    """
    tables = configuration.tables.get("routes", [])
    if not isinstance(tables, list):
        raise ConfigurationError(configuration.path, "routes", "expected tables [[routes]]")
    routes = []
    for number, table in enumerate(tables):
        route = configuration.build(Route, table, f"routes[{number}]")
        if unknown := [name for name in route.notify if name not in notifiers]:
            known = ", ".join(notifiers) or "none"
            problem = f"no [notify.{unknown[0]}]; configured: {known}"
            raise ConfigurationError(configuration.path, f"routes[{number}].notify", problem)
        routes.append(route)
    _refuse_idle(configuration, routes)
    return tuple(routes)


def refuse_forgotten_owners(configuration: Configuration, routing: Routing) -> None:
    """Refuse an owner in the file that no route could ever fit, where routes go by owner.

    Raises:
        ConfigurationError: names the first one, and those that routes know.
    """
    known = ", ".join(sorted({each.owner for each in routing.routes if each.owner}))
    for key, owner in _owners(configuration):
        if routing.never_leads_anywhere(owner):
            problem = (
                f'owner "{owner}" leads nowhere: no [[routes]] fits it; expected one of {known}, '
                "or a route with default = true"
            )
            raise ConfigurationError(configuration.path, key, problem)


def _refuse_idle(configuration: Configuration, routes: Sequence[Route]) -> None:
    """Refuse a default route beside one that everything fits: it would never be used."""
    everything = next((n for n, each in enumerate(routes) if each.unconditional), None)
    default = next((n for n, each in enumerate(routes) if each.default), None)
    if everything is not None and default is not None:
        problem = f"never used: everything fits routes[{everything}], which has no condition"
        raise ConfigurationError(configuration.path, f"routes[{default}].default", problem)


def _owners(configuration: Configuration) -> Iterable[tuple[str, str]]:
    """Give the owners of the suite and of all that is watched, each with its key."""
    if configuration.run.owner:
        yield "run.owner", configuration.run.owner
    for name, section in configuration.tables.items():
        entries = section if isinstance(section, Mapping) and name not in _UNWATCHED else {}
        for entry, table in entries.items():
            owner = table.get("owner") if isinstance(table, Mapping) else None
            if owner is not None:
                key = f"{name}.{entry}.owner"
                yield key, configuration.value(owner, str, key)

"""Which check needs what, and how many at once may need it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from pytest_yakei.errors import NotConfigured
from pytest_yakei.sections import BY_FIXTURE
from pytest_yakei.suite import Suite, suite_key
from pytest_yakei.uses import named_by, named_in_entries
from yakei_shared.errors import ConfigurationError

if TYPE_CHECKING:
    from pytest_yakei.databases.settings import ConfiguredDatabase

NOTHING: frozenset[str] = frozenset()
_ASKING = {"database", *BY_FIXTURE}
_FOR_DATABASES = "database "
"""Begins the name of a resource that is a database, as incidents name it."""

needs_key = pytest.StashKey["Needs"]()
"""In the session's stash while its workers share what they know of databases."""


@dataclass(frozen=True)
class Needs:
    """What the checks of a session need.

    Attributes:
        of_checks: the resources of each check that needs any, by its index.
        limits: how many checks at once may need a resource, of those that have a limit below the
            number of slots.
        unforeseen: the checks that may ask for any database; their code does not say for which.
        asks_databases: whether any check asks for any.
    """

    of_checks: Mapping[int, frozenset[str]] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)
    unforeseen: frozenset[int] = frozenset()
    asks_databases: bool = False

    def of(self, index: int) -> frozenset[str]:
        """Return the resources that a check is known to need."""
        return self.of_checks.get(index, NOTHING)

    def databases(self, index: int) -> set[str] | None:
        """Return the names of the databases that a check needs; None when that is not known."""
        if index in self.unforeseen:
            return None
        known = (each for each in self.of(index) if each.startswith(_FOR_DATABASES))
        return {each.removeprefix(_FOR_DATABASES) for each in known}

    def connections(self) -> dict[str, int]:
        """Return the limits of databases, by their names."""
        return {
            name.removeprefix(_FOR_DATABASES): limit
            for name, limit in self.limits.items()
            if name.startswith(_FOR_DATABASES)
        }


def needs_of(config: pytest.Config, items: list[pytest.Item], slots: int) -> Needs:
    """Return what these checks need, by their markers, their entries and their code."""
    marks = {index: found for index, item in enumerate(items) if (found := dict(_marked(item)))}
    asking = [i for i, item in enumerate(items) if _ASKING & set(_fixtures(item))]
    suite = config.stash.get(suite_key, None)
    if suite is None or not (marks or asking):
        return Needs()
    databases = _databases(suite) if asking else {}
    named = _named(suite, {index: items[index] for index in asking}, databases)
    used = {index: {*marks.get(index, ()), *named.get(index, ())} for index in {*marks, *named}}
    limits: dict[str, int] = {}
    for further in (*marks.values(), _configured_limits(suite)):
        _take_smaller(limits, further)
    _take_smaller(limits, {each.resource: each.max_connections for each in databases.values()})
    return Needs(
        {index: frozenset(names) for index, names in used.items() if names},
        {name: limit for name, limit in limits.items() if limit < slots},
        frozenset(i for i in asking if not named[i] and "database" in _fixtures(items[i])),
        asks_databases=bool(asking),
    )


def share(config: pytest.Config, needs: Needs) -> None:
    """Let the workers that are forked from now on count their connections together."""
    if needs.asks_databases:
        config.stash[suite_key].connections.share(needs.connections())
        config.stash[needs_key] = needs


def unshare(config: pytest.Config) -> None:
    """End what `share` began: the workers are gone."""
    if needs_key in config.stash:
        config.stash[suite_key].connections.unshare()
        del config.stash[needs_key]


def _fixtures(item: pytest.Item) -> Iterable[str]:
    return getattr(item, "fixturenames", ())


def _marked(item: pytest.Item) -> Iterator[tuple[str, int | None]]:
    """Yield the resources that a check's markers name, and their limits.

    What makes no sense is passed over here: the runner has refused it.
    """
    for mark in item.iter_markers("resource"):
        arguments = {**dict(zip(("name", "limit"), mark.args, strict=False)), **mark.kwargs}
        name, limit = arguments.get("name"), arguments.get("limit")
        if name:
            yield str(name), limit if isinstance(limit, int) and limit > 0 else None


def _named(
    suite: Suite, items: Mapping[int, pytest.Item], databases: Mapping[str, ConfiguredDatabase]
) -> dict[int, set[str]]:
    """Return the databases, as resources, that each of these checks is known to ask for."""
    entries: dict[tuple[str, str], str] = {}
    if databases:
        entries = {(s, name): used for s, name, used in named_in_entries(suite.configuration)}
    return {
        index: {databases[n].resource for n in named_by(item, entries) if n in databases}
        for index, item in items.items()
    }


def _configured_limits(suite: Suite) -> Mapping[str, int | None]:
    try:
        return suite.resource_limits
    except ConfigurationError:  # nobody is hindered by what the runner refuses
        return {}


def _take_smaller(limits: dict[str, int], further: Mapping[str, int | None]) -> None:
    """Of several limits the smallest counts: whoever knows of a weakness is heard."""
    for name, limit in further.items():
        if limit is not None:
            limits[name] = min(limit, limits.get(name, limit))


def _databases(suite: Suite) -> dict[str, ConfiguredDatabase]:
    found = {}
    with suppress(ConfigurationError):  # the checks that need it will say so
        for name in suite.configuration.entries("databases"):
            with suppress(ConfigurationError, NotConfigured):
                found[name] = suite.configured_database(name)
    return found

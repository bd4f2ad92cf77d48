"""Which databases a check will ask for, as far as configuration and code tell before it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from pytest_yakei.sections import BY_FIXTURE, SECTIONS
from yakei_shared.configuration import Configuration
from yakei_shared.references import SCHEMES


def named_in_entries(configuration: Configuration) -> Iterator[tuple[str, str, str]]:
    """Yield section, entry and database, for each configured entry that names one."""
    for section in SECTIONS:
        tables = configuration.tables.get(section.name)
        for name, table in tables.items() if isinstance(tables, Mapping) else ():
            if isinstance(table, Mapping) and isinstance(table.get("database"), str):
                yield section.name, name, table["database"]


def unknown_in_entries(configuration: Configuration) -> Iterator[tuple[str, str]]:
    """Yield the key of each entry that names a database which there is not, and the mistake."""
    databases = configuration.entries("databases")
    for section, name, used in named_in_entries(configuration):
        if used not in databases and not used.startswith(SCHEMES):
            known = f"configured: {', '.join(databases) or 'none'}"
            yield f"{section}.{name}.database", f"no database {used} in [databases]; {known}"


def named_by(item: pytest.Item, entries: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """Yield what may be the names of the databases that a check asks for.

    They are those of its entry, and every text in its code, in that of its fixtures, and in its
    parameters, if it can ask for a database at all: which of them are names, the caller knows.

    Args:
        item: the check.
        entries: the database of each entry, by section and name.
    """
    parameters: Mapping[str, Any] = item.callspec.params if hasattr(item, "callspec") else {}
    for fixture in parameters.keys() & BY_FIXTURE.keys():
        key = (BY_FIXTURE[fixture].name, str(parameters[fixture]))
        if key in entries:
            yield entries[key]
    if "database" not in getattr(item, "fixturenames", ()):
        return
    yield from (value for value in parameters.values() if isinstance(value, str))
    for function in _functions(item):
        yield from _texts(function)


def _functions(item: pytest.Item) -> Iterator[Callable[..., object]]:
    """Yield the check's own function, and those of the fixtures that it uses."""
    if own := getattr(item, "function", None):
        yield own
    info = getattr(item, "_fixtureinfo", None)  # pytest has no public way to ask
    for definitions in info.name2fixturedefs.values() if info else ():
        yield definitions[-1].func


def _texts(function: Callable[..., object]) -> Iterator[str]:
    """Yield the texts in a function: those that stand in it, and those that its names stand for."""
    code = getattr(function, "__code__", None)
    if code is None:
        return
    world = getattr(function, "__globals__", {})
    values = (*code.co_consts, *(world.get(name) for name in code.co_names))
    yield from (value for value in values if isinstance(value, str))

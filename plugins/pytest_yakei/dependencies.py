"""Resolves what checks depend on: each name becomes the ids of checks, or a resource.

Dependencies say whose failure explains whose; they never change what runs, or in which order.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from pytest_yakei.collection import parameters_of
from pytest_yakei.records import depends_on_key, names_in
from pytest_yakei.sections import BY_FIXTURE
from pytest_yakei.suite import Suite
from yakei_shared.errors import ConfigurationError

mistake_key = pytest.StashKey[str]()
"""What is wrong with a check's dependencies, in one line."""


def resolve_dependencies(
    session: pytest.Session, items: Sequence[pytest.Item], suite: Suite
) -> None:
    """Note in each check's stash what it depends on, and what is wrong with that.

    Names that nobody has are kept as they are written where only a part of the suite can be seen.
    """
    asking = [item for item in items if item.get_closest_marker("depends_on")]
    if not asking:
        return
    resources = _resources(suite)
    names = Names(items, resources or (), complete=_is_complete(session, suite, resources))
    edges: dict[str, tuple[str, ...]] = {}
    for item in asking:
        try:
            found = [each for name in names_in(item) for each in names.resolve(name)]
        except ValueError as error:
            item.stash[mistake_key] = f"depends_on: {error}"
        else:
            edges[item.nodeid] = item.stash[depends_on_key] = tuple(dict.fromkeys(found))
    for item in asking:
        if way := _way_back(item.nodeid, edges):
            item.stash[mistake_key] = f"depends_on: depends on itself: {' -> '.join(way)}"


class Names:
    """The names that checks and resources go by."""

    def __init__(
        self, items: Iterable[pytest.Item], resources: Iterable[str], *, complete: bool
    ) -> None:
        """Take all that there is, and whether that is the whole suite."""
        self._complete = complete
        self._exact: dict[str, list[str]] = {name: [name] for name in resources}
        self._short: dict[str, dict[str, list[str]]] = {}
        for item in items:
            for label in _labels(item):
                self._exact.setdefault(label, []).append(item.nodeid)
            self._exact[item.nodeid] = [item.nodeid]
            function = item.nodeid.partition("[")[0]
            for name in _short_names(item, function):
                self._short.setdefault(name, {}).setdefault(function, []).append(item.nodeid)

    def resolve(self, name: str) -> Sequence[str]:
        """Return the ids of the checks, or the resource, that a name stands for.

        Raises:
            ValueError: nobody has the name, or several functions have.
        """
        name = name.strip()
        if name in self._exact:
            return self._exact[name]
        functions = self._short.get(name, {})
        if len(functions) > 1:
            raise ValueError(f'"{name}" may be any of {", ".join(functions)}; name the file, too')
        if not functions and self._complete:
            raise ValueError(f'no check or resource "{name}"; {self._advice(name)}')
        return next(iter(functions.values()), [name])

    def _advice(self, name: str) -> str:
        near = difflib.get_close_matches(name, [*self._exact, *self._short], n=1)
        if near:
            return f"did you mean {near[0]}?"
        return 'expected the name of a check, file::function, or a resource such as "database main"'


def _short_names(item: pytest.Item, function: str) -> Iterator[str]:
    """Yield an id's endings: `test_queues.py::test_depth`, `test_depth`, and with parameters."""
    path, _, own = function.partition("::")
    parts = path.split("/")
    files = ["/".join(parts[index:]) for index in range(len(parts))]
    names = {own, own.rpartition("::")[2], *(f"{file}::{own}" for file in files)}
    parameter = item.nodeid[len(function) :]
    yield from names
    if parameter:
        yield from (f"{name}{parameter}" for name in names)


def _labels(item: pytest.Item) -> Iterator[str]:
    """Yield the labels of the configured entries that a check is about."""
    for fixture, name in parameters_of(item).items():
        if fixture in BY_FIXTURE:
            yield BY_FIXTURE[fixture].label_of(str(name))


def _resources(suite: Suite) -> list[str] | None:
    """Return the configured resources; None when no configuration can be read."""
    try:
        return [f"database {name}" for name in suite.configuration.entries("databases")]
    except ConfigurationError:
        return None


def _is_complete(session: pytest.Session, suite: Suite, resources: object) -> bool:
    """Return whether all checks are among those that were collected: what they name must exist."""
    if resources is None or session.testsfailed:  # a file that does not import hides its checks
        return False
    start = session.config.invocation_params.dir
    seen = [Path(start, each).resolve() for each in session.config.args if "::" not in each]
    monitors = (folder.resolve() for folder in suite.configuration.run.monitors)
    return all(any(folder.is_relative_to(each) for each in seen) for folder in monitors)


def _way_back(start: str, edges: Mapping[str, Sequence[str]]) -> list[str]:
    """Return how a check depends on itself, step by step; nothing when it does not."""
    came_from: dict[str, str] = {}
    front = [start]
    while front:
        here = front.pop()
        for there in edges.get(here, ()):
            if there == start:
                steps = [here]
                while steps[-1] != start:
                    steps.append(came_from[steps[-1]])
                return [*reversed(steps), start]
            if there not in came_from:
                came_from[there] = here
                front.append(there)
    return []

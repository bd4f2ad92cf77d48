"""Looks at what the checks would need, for `yakei doctor`: nothing is judged."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_yakei.errors import CannotTell
from pytest_yakei.sections import SECTIONS
from pytest_yakei.suite import Suite
from pytest_yakei.uses import named_by, named_in_entries, unknown_in_entries
from yakei_shared.errors import ConfigurationError

_ENGINES = {"engine", "driver", "drivername", "dialect", "adapter"}
"""A key that only a database's settings have, as Django and others spell it."""
_DEPTH = 4
"""How far down in an application's settings databases are looked for."""

Answer = dict[str, Any]


class Examination:
    """Writes JSON lines to a file, after the collection.

    `{"check", "owner", "severity", "markers"}` is about a check that was collected,
    `{"well", "what", "text", "mistake"}` about a thing that was looked at.
    """

    def __init__(self, path: Path, suite: Suite) -> None:
        self._path = path
        self._suite = suite

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Try every resource, and count the checks; each answer is written as it is found."""
        with self._path.open("w", encoding="utf-8") as file:
            for answer in self._answers(session.items):
                file.write(json.dumps(self._suite.redactor.redact_all(answer)) + "\n")
                file.flush()
        self._suite.close()

    def _answers(self, items: Sequence[pytest.Item]) -> Iterator[Answer]:
        yield from map(_check, items)
        try:
            configuration = self._suite.configuration
            if "app" in configuration.tables:
                yield _well("application", f"settings from {configuration.application.source}")
        except ConfigurationError as error:
            yield _mistake(error)
            return
        mistakes = [*self._sections()]
        yield from mistakes
        yield from self._databases(items)
        for key, reference in sorted(configuration.resolver.origins.items()):
            yield _well(key, f"from {reference}")
        yield from self._unwatched()
        if items or not mistakes:  # a section with a mistake in it may be all there is
            yield _collected(len(items))

    def _sections(self) -> Iterator[Answer]:
        """Read every entry of every section, and yield the first mistake of each."""
        for section in SECTIONS:
            try:
                names = self._suite.entry_names(section)
            except ConfigurationError as error:
                yield _mistake(error)
                continue
            for name in names:
                try:
                    self._suite.entry(section, name)
                except ConfigurationError as error:
                    yield _mistake(error)

    def _databases(self, items: Sequence[pytest.Item]) -> Iterator[Answer]:
        try:
            databases = self._suite.configuration.entries("databases")
        except ConfigurationError as error:
            yield _mistake(error)
            return
        for key, mistake in unknown_in_entries(self._suite.configuration):
            yield _ill(key, mistake, mistake=True)
        asked = (used for _, _, used in named_in_entries(self._suite.configuration))
        used = {*asked, *(name for item in items for name in named_by(item, {}))}
        for name in databases:
            yield self._database(name, "" if name in used else "; no check uses it")

    def _database(self, name: str, remark: str) -> Answer:
        try:
            where = self._suite.database(name).where
        except ConfigurationError as error:
            return _mistake(error)
        except CannotTell as error:
            return _ill(f"database {name}", str(error).removeprefix(f"database {name}: "))
        return _well(f"database {name}", f"{where} answers{remark}")

    def _unwatched(self) -> Iterator[Answer]:
        """List the databases of the application that `[databases]` does not have."""
        configuration = self._suite.configuration
        if "app" not in configuration.tables:
            return
        resolver = configuration.resolver
        named = {each.removeprefix("app:") for each in resolver.origins.values()}
        known = [
            resolver.resolve(target, f"databases.{name}")
            for name, target in configuration.entries("databases").items()
            if f"databases.{name}" in resolver.origins
        ]
        found = _databases_in(configuration.application.settings)
        unknown = [path for path, target in found if path not in named and target not in known]
        if unknown:
            text = f"no check uses {', '.join(unknown)}; [databases] has no such app: value"
            yield _well("application's databases", text)


def _databases_in(settings: object, prefix: str = "", depth: int = _DEPTH) -> Iterator[Any]:
    """Yield the dotted path and the value of what names a database in an application's settings."""
    public = settings if isinstance(settings, Mapping) else {} if prefix else _public(settings)
    for key, value in public.items():
        path = f"{prefix}{key}"
        if _is_database(value):
            yield path, value
        elif isinstance(value, Mapping) and depth:
            yield from _databases_in(value, f"{path}.", depth - 1)


def _public(settings: object) -> Mapping[str, Any]:
    """Return the public attributes of a module or object."""
    return {name: getattr(settings, name, None) for name in dir(settings) if name[:1] != "_"}


def _is_database(value: object) -> bool:
    from pytest_yakei.databases import check_target

    if isinstance(value, Mapping):
        candidate = any(str(key).lower() in _ENGINES for key in value)
    else:
        candidate = isinstance(value, str) and "://" in value
    try:
        if candidate:
            check_target(value)  # type: ignore[arg-type]  # a string or a mapping, as seen above
    except ValueError:
        return False
    return candidate


def _check(item: pytest.Item) -> Answer:
    """Return what routes ask of a check; before a run, its severity is the highest it can have."""
    severities = {mark.args[0] for mark in item.iter_markers("severity") if mark.args}
    owner = item.get_closest_marker("owner")
    return {
        "check": item.nodeid,
        "owner": next(iter((*owner.args, *owner.kwargs.values())), None) if owner else None,
        "severity": "warning" if "warning" in severities else "critical",
        "markers": sorted({mark.name for mark in item.iter_markers()}),
    }


def _collected(number: int) -> Answer:
    if number:
        return _well("checks", f"{number} collected")
    advice = "`yakei init` writes the ready-made ones; each waits for its section to be configured"
    return _ill("checks", f"0 collected; {advice}")


def _well(what: str, text: str) -> Answer:
    return {"well": True, "what": what, "text": text}


def _ill(what: str, text: str, *, mistake: bool = False) -> Answer:
    return {"well": False, "what": what, "text": text, "mistake": mistake}


def _mistake(error: ConfigurationError) -> Answer:
    return _ill(error.key or error.source, error.problem, mistake=True)

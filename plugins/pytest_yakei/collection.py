"""Which checks there are: one for each configured entry, and those whose time has come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from pytest_yakei import fixtures
from pytest_yakei.sections import BY_FIXTURE, EntrySettings, Section
from pytest_yakei.suite import Suite
from yakei_shared.errors import ConfigurationError, MissingConfigurationError

_NOBODY = "yakei-nothing-configured"
"""The parameter of a check whose section is absent; the check is then taken off the list."""


def parametrize(metafunc: pytest.Metafunc, suite: Suite) -> None:
    """Make one check for each entry of the section that feeds a fixture of ours.

    Raises:
        Collector.CollectError: the configuration cannot be used; its text is one line.
    """
    for fixture, section in BY_FIXTURE.items():
        if fixture not in metafunc.fixturenames or not _is_ours(metafunc, fixture):
            continue
        try:
            names = suite.entry_names(section)
        except MissingConfigurationError:
            continue  # the fixture says so: a skip in plain pytest, an error in the runner
        except ConfigurationError as error:
            raise pytest.Collector.CollectError(str(error)) from None
        metafunc.parametrize(fixture, names or [_NOBODY], indirect=True)


def _is_ours(metafunc: pytest.Metafunc, fixture: str) -> bool:
    """Return whether the name is our fixture's: an application may have a `queue` of its own."""
    definitions = metafunc._arg2fixturedefs.get(fixture, ())  # noqa: SLF001 - pytest has no public way to ask
    return bool(definitions) and definitions[-1].func.__module__ == fixtures.__name__


def drop_unconfigured(items: list[pytest.Item], suite: Suite) -> None:
    """Take checks off the list whose section is absent: they are not collected at all.

    So are those that hold something against a limit which the entry does not have (`only_with`):
    they would pass, and have judged nothing.
    """
    items[:] = [
        item
        for item in items
        if _NOBODY not in parameters_of(item).values() and _has_its_keys(item, suite)
    ]


def _has_its_keys(item: pytest.Item, suite: Suite) -> bool:
    if not suite.asked:
        return True
    needed = [key for mark in item.iter_markers("only_with") for key in mark.args]
    tables = [
        suite.configuration.entries(BY_FIXTURE[fixture].name).get(str(name))
        for fixture, name in parameters_of(item).items()
        if needed and fixture in BY_FIXTURE
    ]
    entries = [table for table in tables if isinstance(table, Mapping)]
    return not entries or any(entry.get(key) for entry in entries for key in needed)


def apply_entry_settings(items: Iterable[pytest.Item], suite: Suite) -> None:
    """Mark each check with what its entry says: owner, severity, runbook, every, timeout."""
    for item in items:
        parameters = parameters_of(item)
        for fixture in parameters.keys() & BY_FIXTURE.keys():
            section = BY_FIXTURE[fixture]
            try:
                common = suite.common_settings(section, str(parameters[fixture]))
            except ConfigurationError:
                continue  # the fixture says so when it reads the whole entry
            _mark(item, section, common)


def _mark(item: pytest.Item, section: Section, common: EntrySettings) -> None:
    for name in ("owner", "runbook", "failure_threshold"):
        value = getattr(common, name)
        if value is not None:
            item.add_marker(getattr(pytest.mark, name)(value), append=False)
    if common.depends_on:
        item.add_marker(pytest.mark.depends_on(*common.depends_on))
    if common.severity:
        item.add_marker(pytest.mark.severity(common.severity))
    if common.low_priority is not None:
        item.add_marker(pytest.mark.low_priority(common.low_priority), append=False)
    if common.timeout:
        item.add_marker(pytest.mark.timeout(common.timeout.total_seconds()))
    if common.every and item.get_closest_marker("every") is None:
        item.add_marker(pytest.mark.every(common.every))
    item.user_properties.append(("section", section.name))


def parameters_of(item: pytest.Item) -> dict[str, object]:
    """Return what a check is parametrized with, by the names of the arguments."""
    return dict(item.callspec.params) if hasattr(item, "callspec") else {}

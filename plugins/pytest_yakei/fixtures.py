"""The fixtures that a check asks for; nothing is read or opened before one does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from pytest_yakei.context import Context
from pytest_yakei.errors import NotConfigured, ResourceUnavailable
from pytest_yakei.measures import Measure, take
from pytest_yakei.records import CheckRecord, record_key
from pytest_yakei.sections import BY_FIXTURE
from pytest_yakei.suite import Suite, suite_key
from yakei_shared.errors import ConfigurationError, MissingConfigurationError
from yakei_shared.labels import label_of

if TYPE_CHECKING:
    from pytest_yakei.databases import Database
    from pytest_yakei.web import Session
    from yakei_shared.application import AppConfig


def record_of(item: pytest.Item) -> CheckRecord:
    """Return the item's record, begun when the check first asks for something of ours."""
    return item.stash.setdefault(record_key, CheckRecord(label=label_of(item.name)))


def _asked(suite: Suite, ask: Callable[[], Any]) -> Any:
    """Ask for something configured: without it plain `pytest` skips, and the runner errs."""
    __tracebackhide__ = True
    try:
        return ask()
    except (MissingConfigurationError, NotConfigured) as error:
        if not suite.in_runner:
            pytest.skip(str(error))
        raise
    except ConfigurationError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


@pytest.fixture(scope="session")
def _yakei(pytestconfig: pytest.Config) -> Iterator[Suite]:
    """Give what the session's checks share, and close it at the end."""
    suite = pytestconfig.stash[suite_key]
    yield suite
    suite.close()


@pytest.fixture(scope="session")
def app_config(_yakei: Suite) -> AppConfig:
    """Give the application's own settings: `app_config["database.url"]`."""
    settings: AppConfig = _asked(_yakei, lambda: _yakei.configuration.application)
    return settings


@pytest.fixture
def database(_yakei: Suite, request: pytest.FixtureRequest) -> Callable[[str], Database]:
    """Give `database(name)`: our own read-only connection to a configured database."""
    return _database_of(_yakei, request.node)


def _database_of(suite: Suite, item: pytest.Item) -> Callable[[str], Database]:
    record_of(item)

    def connection(name: str) -> Database:
        __tracebackhide__ = True
        opened: Database = _asked(suite, lambda: suite.database(name))
        return opened

    return connection


@pytest.fixture
def http(request: pytest.FixtureRequest) -> Iterator[Session]:
    """Give a `requests.Session` that always has a timeout."""
    from pytest_yakei.web import Session

    record_of(request.node)
    with Session() as session:
        yield session


@pytest.fixture
def measure(request: pytest.FixtureRequest) -> Callable[..., Measure]:
    """Give `measure(name, value, unit="")`: records a number, and holds it against a limit."""
    record = record_of(request.node)

    def measure_(name: str, value: Any, unit: str = "") -> Measure:
        taken, entry = take(name, value, unit)
        record.measures.append(entry)
        return taken

    return measure_


@pytest.fixture
def memory(_yakei: Suite, request: pytest.FixtureRequest) -> MutableMapping[str, Any]:
    """Give the check's small JSON document; the runner keeps it when the check ends."""
    return _memory_of(_yakei, request.node)


def _memory_of(suite: Suite, item: pytest.Item) -> dict[str, Any]:
    kept: dict[str, Any] = _asked(suite, lambda: suite.memories.get(item.nodeid, {}))
    return record_of(item).remember(kept)


def _probe(suite: Suite, request: pytest.FixtureRequest) -> Any:
    """Return the probe of the entry that the fixture is parametrized with."""
    section = BY_FIXTURE[str(request.fixturename)]
    name = getattr(request, "param", None)
    if name is None:  # the configuration was not there when the tests were collected
        _asked(suite, lambda: suite.configuration)
        pytest.skip(f"[{section.name}] is missing in {suite.configuration.path}")
    entry = _asked(suite, lambda: suite.entry(section, name))
    record = record_of(request.node)
    record.label = entry.label
    context = Context(
        name=name,
        settings=entry.settings,
        database=_database_of(suite, request.node),
        memory=_memory_of(suite, request.node),
        now=datetime.now(UTC),
        note=record.notes.append,
    )
    return entry.module.probe(context)


@pytest.fixture
def queue(_yakei: Suite, request: pytest.FixtureRequest) -> Any:
    """Give one configured queue: `[queues.NAME]`."""
    return _probe(_yakei, request)


@pytest.fixture
def backup(_yakei: Suite, request: pytest.FixtureRequest) -> Any:
    """Give one configured backup: `[backups.NAME]`."""
    return _probe(_yakei, request)


@pytest.fixture
def pidfile(_yakei: Suite, request: pytest.FixtureRequest) -> Any:
    """Give one configured pid file: `[pidfiles.NAME]`."""
    return _probe(_yakei, request)


@pytest.fixture
def lockfile(_yakei: Suite, request: pytest.FixtureRequest) -> Any:
    """Give one configured lock file: `[lockfiles.NAME]`."""
    return _probe(_yakei, request)


@pytest.fixture
def database_locks(_yakei: Suite, request: pytest.FixtureRequest) -> Any:
    """Give the locks of one configured database: `[database_locks.NAME]`."""
    return _probe(_yakei, request)


@pytest.fixture
def slony(_yakei: Suite, request: pytest.FixtureRequest) -> Any:
    """Give one configured Slony-I cluster: `[slony.NAME]`."""
    return _probe(_yakei, request)


def forget_lost_resource(suite: Suite, error: BaseException | None) -> None:
    """Take a lost connection out of use, so that the next check that needs it is told at once."""
    if isinstance(error, ResourceUnavailable):
        suite.lost(error)

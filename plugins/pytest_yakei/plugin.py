"""The pytest plugin: hooks declare, objects work, nothing runs until a check asks.

In an application's ordinary test suite it reads no file, opens no connection and changes no
outcome.

PYTEST_DONT_REWRITE: see `rewriting`.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest

from pytest_yakei.collection import apply_entry_settings, drop_unconfigured, parametrize
from pytest_yakei.dependencies import mistake_key, resolve_dependencies
from pytest_yakei.disclosure import Discretion, redact_report
from pytest_yakei.fixtures import (
    _yakei,
    app_config,
    backup,
    database,
    database_locks,
    forget_lost_resource,
    http,
    lockfile,
    measure,
    memory,
    pidfile,
    queue,
    record_of,
    slony,
)
from pytest_yakei.records import record_key
from pytest_yakei.rewriting import rewrite_none_of_ours
from pytest_yakei.suite import Suite, suite_key

__all__ = [  # pytest finds the fixtures here
    "_yakei",
    "app_config",
    "backup",
    "database",
    "database_locks",
    "http",
    "lockfile",
    "measure",
    "memory",
    "pidfile",
    "queue",
    "slony",
]

pytest_plugins = ["pytest_yakei.engine.plugin", "pytest_yakei.canary"]

MARKERS = (
    'owner(name): who is told and asked: @pytest.mark.owner("search-team")',
    "severity(level): critical wakes somebody, warning waits for the morning",
    "runbook(url): what to do when this check fails",
    'every(period, at=None): in `yakei run` only so often: every("1d", at="04:00")',
    "low_priority(wanted=True): its body runs at a low CPU and I/O priority",
    "smoke: makes sense right after a deploy",
    "known_issue(reference, until=None): quiet while it fails, told when it passes",
    'failure_threshold(runs): failing runs before anybody is told: 3 in a row, or "3 of 5"',
    "depends_on(*names): checks and resources whose failure explains that of this one",
    "resource(name, limit=None): what it shares with others, and how many of them run at once",
    "only_with(*keys): the check exists only for entries that have one of these keys",
)


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the options; those that only `yakei run` gives say so."""
    rewrite_none_of_ours(pluginmanager)
    group = parser.getgroup("yakei", "monitoring checks")
    group.addoption("--yakei-config", type=Path, metavar="FILE", help="the configuration file")
    runner = "(given by `yakei run`)"
    group.addoption("--yakei-run", action="store_true", help=f"judge as the runner does {runner}")
    group.addoption("--yakei-journal", type=Path, metavar="FILE", help=f"results {runner}")
    group.addoption("--yakei-resume", action="store_true", help=f"skip what has begun {runner}")
    group.addoption("--yakei-all", action="store_true", help=f"whatever `every` says {runner}")
    group.addoption("--yakei-only", type=Path, metavar="FILE", help=f"no others {runner}")
    group.addoption("--yakei-elsewhere", type=Path, metavar="DIR", help=f"newer state {runner}")
    group.addoption("--yakei-stacks", type=Path, metavar="FILE", help=f"stack dumps {runner}")
    doctor = "(given by `yakei doctor`)"
    group.addoption("--yakei-examine", type=Path, metavar="FILE", help=f"try resources {doctor}")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Before a conftest.py can hang or crash, let the runner find out in which line."""
    if stacks := early_config.known_args_namespace.yakei_stacks:
        from pytest_yakei.runner_session import answer_for_stacks

        answer_for_stacks(early_config, stacks)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers and, when the runner called, keep a journal."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    named = config.getoption("--yakei-config") or os.environ.get("YAKEI_CONFIG")
    suite = Suite(
        config_file=Path(named).absolute() if named else None,
        start=config.invocation_params.dir,
        in_runner=config.getoption("--yakei-run"),
        elsewhere=config.getoption("--yakei-elsewhere"),
    )
    config.stash[suite_key] = suite
    config.pluginmanager.register(Discretion(config, suite), "yakei-discretion")
    if config.getoption("--yakei-journal"):
        from pytest_yakei.runner_session import RunnerSession

        config.pluginmanager.register(RunnerSession(config, suite), "yakei-runner-session")
    if config.getoption("--yakei-examine"):
        from pytest_yakei.examination import Examination

        examination = Examination(config.getoption("--yakei-examine"), suite)
        config.pluginmanager.register(examination, "yakei-examination")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one check for each configured entry."""
    parametrize(metafunc, metafunc.config.stash[suite_key])


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Take off what is not configured, and mark the rest as its entry says."""
    suite = config.stash[suite_key]
    drop_unconfigured(items, suite)
    if suite.asked:
        apply_entry_settings(items, suite)
    resolve_dependencies(session, items, suite)
    if config.pluginmanager.hasplugin("yakei-runner-session"):
        from pytest_yakei import canary  # not before pytest has seen to its assertion

        canary.join(session, items)
    else:
        _warn_of_mistakes(items)


def _warn_of_mistakes(items: list[pytest.Item]) -> None:
    """Say what the runner would refuse a check for."""
    for item in items:
        if mistake := item.stash.get(mistake_key, ""):
            try:
                item.warn(pytest.PytestWarning(mistake))
            except pytest.PytestWarning as error:  # -W error
                raise pytest.UsageError(f"{item.nodeid}: {error}") from None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Care for priorities where a check asks for a low one."""
    if any(item.get_closest_marker("low_priority") for item in session.items):
        from pytest_yakei.priority import LowPriority

        session.config.pluginmanager.register(LowPriority(session.items), "yakei-low-priority")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note what the check did, and take secrets out before anybody sees the report."""
    report = yield
    suite = item.config.stash[suite_key]
    if record_key in item.stash or suite.in_runner:
        error = call.excinfo.value if call.excinfo else None
        record = record_of(item)
        record.observe(report, error)
        forget_lost_resource(suite, error)
        extra = getattr(report, "_json_report_extra", None)
        if extra is not None:
            extra.setdefault("metadata", {})["yakei"] = record.metadata(item)
    if suite.keeps_secrets:
        redact_report(report, suite.redactor)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Take secrets out of what is said about a file that does not import."""
    report = yield
    suite = collector.config.stash.get(suite_key, None)
    if suite is not None and suite.keeps_secrets and report.failed:
        redact_report(report, suite.redactor)
    return report


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say which configuration was checked, if any check asked for it."""
    suite = config.stash[suite_key]
    if suite.asked:
        source = suite.configuration
        app = (
            f", application settings from {source.application.source}"
            if source.application_was_read
            else ""
        )
        terminalreporter.write_line(f"yakei: checked by {source.path}{app}")

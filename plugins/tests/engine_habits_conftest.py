"""The habits of a conftest.py: hooks that change checks, reports and the terminal."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest


def note(what: str) -> None:
    with Path(__file__).with_name("hooks.txt").open("a") as file:
        file.write(f"{what} {os.getpid()}\n")


def pytest_sessionstart() -> None:
    note("sessionstart")


def pytest_sessionfinish() -> None:
    note("sessionfinish")


def pytest_unconfigure() -> None:
    note("unconfigure")


def pytest_runtest_logstart(nodeid: str) -> None:
    note(f"logstart {nodeid}")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    note(f"logreport {report.nodeid} {report.when} {getattr(report, 'colour', 'none')}")


def pytest_runtest_setup(item: pytest.Item) -> None:
    if "looks_away" in item.name:
        pytest.skip("the conftest.py says so")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    report.colour = "red" if report.failed else "green"
    report.sections.append(("From the conftest.py", item.name))
    report.user_properties.append(("when", report.when))
    return report


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    if report.when == "call" and report.passed and "only_uses" in report.nodeid:
        return "used", "U", "USED"
    return None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    colours = [
        getattr(each, "colour", "none")
        for reports in terminalreporter.stats.values()
        for each in reports
    ]
    terminalreporter.write_line(f"red: {colours.count('red')}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.habit)
        item.user_properties.append(("suite", "habits"))

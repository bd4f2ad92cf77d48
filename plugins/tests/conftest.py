"""Gives the plugin's tests the throw-away servers, and says what a quick run has left out."""

from __future__ import annotations

import pytest
from hearing import signals_are_heard
from servers.fixtures import (
    closed_port,
    mariadb,
    mariadb_data,
    new_mariadb,
    new_postgres,
    new_slony_cluster,
    postgres,
    postgres_data,
    silent_port,
    slony_cluster,
    slony_data,
)

__all__ = [
    "closed_port",
    "mariadb",
    "mariadb_data",
    "new_mariadb",
    "new_postgres",
    "new_slony_cluster",
    "postgres",
    "postgres_data",
    "signals_are_heard",
    "silent_port",
    "slony_cluster",
    "slony_data",
]


LEFT_OUT = pytest.StashKey[int]()


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Count the tests that were left out."""
    if items:
        stash = items[0].config.stash
        stash[LEFT_OUT] = stash.get(LEFT_OUT, 0) + len(items)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say how many were left out, and how to run them."""
    left_out = config.stash.get(LEFT_OUT, 0)
    if left_out and "not server" in config.option.markexpr:
        text = (
            f"left out: {left_out} tests that need real servers or real time; script/test runs all"
        )
        terminalreporter.write_line(text)

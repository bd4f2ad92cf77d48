"""Imports, once in the parent, what every worker would otherwise import for its first check."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from contextlib import suppress

import pytest

from pytest_yakei.sections import BY_FIXTURE
from pytest_yakei.suite import Suite, suite_key
from yakei_shared.errors import ConfigurationError

_FOR_HTTP = ("pytest_yakei.web", "encodings.idna", "netrc")
"""Also what requests imports only when it sends its first request."""


def preload(config: pytest.Config, items: Iterable[pytest.Item]) -> None:
    """Import what the fixtures of ours that these checks ask for will import."""
    asked = {name for item in items for name in getattr(item, "fixturenames", ())}
    modules: list[str] = []
    if "http" in asked:
        modules += _FOR_HTTP
    suite = config.stash.get(suite_key, None)
    if suite is not None and suite.in_runner and asked & {"database", *BY_FIXTURE}:
        modules += _for_databases(suite)
    for module in modules:
        with suppress(ImportError):  # the check that needs it will say so
            importlib.import_module(module)


def _for_databases(suite: Suite) -> Iterator[str]:
    kinds = {"postgresql": "postgres", "mysql": "mysql", "sqlite": "sqlite"}
    for name in suite.configuration.entries("databases"):
        with suppress(ConfigurationError):  # the checks that need it will say so
            kind = suite.configured_database(name).target.kind
            yield f"pytest_yakei.databases.{kinds[kind]}"

"""When the checks are left to pytest's own loop, although slots were asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import pytest

_GATHERING_FIXTURES = {"benchmark": "pytest_benchmark", "snapshot": "syrupy"}
"""Fixtures, and the package that each comes from, that remember what a check did until the end."""
_GATHERING_OPTIONS = (
    *("cucumber_json_path", "gherkin_terminal_reporter"),  # pytest-bdd
    *("profile", "profile_svg"),  # pytest-profiling
)


def keeps_own_loop(session: pytest.Session) -> bool:
    """Return whether something needs the checks in this very process, or the system cannot."""
    config = session.config

    def given(name: str, default: object = None) -> Any:
        return getattr(config.option, name, default)  # `-p no:…` takes a plugin's options away

    interactive = given("usepdb") or given("trace") or given("capture", "no") in {"no", "tee-sys"}
    shown = given("setuponly") or given("setupshow") or given("setupplan")
    stepwise = given("stepwise")  # remembers where it has stopped: at the first in its order
    distributed = config.pluginmanager.hasplugin("dsession") or hasattr(config, "workerinput")
    # Without these, nobody puts a report into words.
    mute = not all(map(config.pluginmanager.hasplugin, ("reports", "subtests")))
    gathered = any(map(given, _GATHERING_OPTIONS)) or _gathers(session.items)
    ours = interactive or shown or stepwise or distributed or mute or gathered
    return bool(ours or not _has_pidfds())


def _gathers(items: Iterable[pytest.Item]) -> bool:
    """Return whether a plugin gathers in the checks' process what it judges at the session's end.

    In slots it would have nothing there: for pytest-benchmark no code has become slower, and for
    syrupy no check has used a snapshot, so that `--snapshot-update` would remove them all.
    """
    return any(
        definition.func.__module__.partition(".")[0] == package
        for item in items
        for fixture, package in _GATHERING_FIXTURES.items()
        if fixture in getattr(item, "fixturenames", ())
        for definition in item._fixtureinfo.name2fixturedefs.get(fixture, ())  # type: ignore[attr-defined]  # noqa: SLF001 - pytest has no public way to ask
    )


def _has_pidfds() -> bool:
    """Return whether we may watch for the end of a process: an old container forbids it."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True

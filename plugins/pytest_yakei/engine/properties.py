"""Brings what a check writes into the JUnit file itself from its worker to the parent's file."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from _pytest.junitxml import xml_key


def send(config: pytest.Config, note: Callable[..., None]) -> None:
    """Have a worker's `record_testsuite_property` and `record_xml_attribute` tell the parent."""
    xml = config.stash.get(xml_key, None)
    if xml is None:
        return

    def reporter(nodeid: str) -> SimpleNamespace:
        return SimpleNamespace(add_attribute=lambda name, value: tell(nodeid, name, value))

    def tell(nodeid: str, name: str, value: object) -> None:
        note("junit", nodeid, name, str(value))

    # Of this process only, in which nobody else asks: the reporting hooks are the parent's.
    vars(xml).update(
        add_global_property=lambda name, value: tell("", name, value), node_reporter=reporter
    )


def write(config: pytest.Config, nodeid: str, name: str, value: str) -> None:
    """Write an attribute of a check's element; without a check, a property of the suite."""
    xml = config.stash.get(xml_key, None)
    if xml is None:
        return
    if nodeid:
        xml.node_reporter(nodeid).add_attribute(name, value)
    else:
        xml.add_global_property(name, value)

"""Runs checks as the runner has pytest run them, and reads the journal that is left."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest

Events = list[dict[str, Any]]
RunAsRunner = Callable[..., Events]


def judge(
    pytester: pytest.Pytester,
    configuration: str,
    *options: str,
    start: Callable[..., pytest.RunResult],
) -> Events:
    """Run what is in the folder; return this process's journal, from the end of the collection."""
    (pytester.path / "yakei.toml").write_text(configuration, encoding="utf-8")
    journal = pytester.path / "journal.jsonl"
    before = len(journal.read_text().splitlines()) if journal.exists() else 0
    report = ("--json-report", "--json-report-file=report.json")
    runner = ("--yakei-run", f"--yakei-journal={journal}")
    start("-p", "pytest_yakei.plugin", "-p", "pytest_jsonreport", *report, *runner, *options)
    events = [json.loads(line) for line in journal.read_text().splitlines()[before:]]
    return [event for event in events if event["event"] != "collecting"]


@pytest.fixture
def as_runner(pytester: pytest.Pytester) -> RunAsRunner:
    """Run one file of checks in `monitors`, or what is there already, in this process."""

    def run(checks: str = "", configuration: str = "", *options: str) -> Events:
        if checks:
            pytester.makepyfile(**{"monitors/test_checks": checks})
        here = f"--rootdir={pytester.path}"
        paths = [] if any("::" in option for option in options) else ["monitors"]
        return judge(
            pytester, configuration, here, *options, *paths, start=pytester.runpytest_inprocess
        )

    return run


def told(events: Events, name: str = "test_it") -> dict[str, Any]:
    """Return what the journal tells the runner of a check, by the end of its id."""
    (entry,) = (
        event["test"]
        for event in events
        if event["event"] == "finished" and event["test"]["nodeid"].endswith(f"::{name}")
    )
    return dict(entry["metadata"]["yakei"])


def problems(events: Iterable[dict[str, Any]]) -> list[str]:
    """Return what the journal says is wrong with the run."""
    return [event["text"] for event in events if event["event"] == "problem"]

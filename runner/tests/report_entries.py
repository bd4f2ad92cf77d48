"""Builds the report entries and journal lines that the tests of the runner's core read."""

from __future__ import annotations

from typing import Any

from suites import BACKUP, QUEUE

METADATA: dict[str, Any] = {
    "outcome": "failed",
    "claim": "The queue is short.",
    "label": "queue analyze_page",
    "fact": "waiting: 1396 rows (limit: below 1000)",
    "details": "Do        look",
    "owner": "search",
    "runbook": "https://wiki.example.com",
    "severity": "warning",
    "failure_threshold": 3,
    "failure_window": 5,
    "depends_on": ["database main", BACKUP],
    "markers": ["nightly", "smoke"],
    "every": None,
    "known_issue": {"reference": "SHOP-12", "until": "2027-01-31"},
    "measures": [
        {
            "name": "waiting",
            "value": 1396,
            "unit": "rows",
            "limit": "below 1000",
            "status": "critical",
        }
    ],
    "notes": ["first run"],
    "unavailable": None,
    "memory": {"seen": 3},
    "started": 1768672800.5,
    "waited": 1.5,
    "worker": "3",
    "file": "monitors/test_queues.py:23",
}
COLLECTED = {"event": "collected", "checks": [QUEUE, BACKUP], "not_due": ["m.py::test_daily"]}


def entry(check: str = QUEUE, outcome: str = "failed", **metadata: Any) -> dict[str, Any]:
    """Return a test's entry as the plugin has pytest-json-report write it."""
    call = {"duration": 0.5, "outcome": outcome, "longrepr": "E  assert", "stdout": "said\n"}
    yakei = {**METADATA, "outcome": outcome, **metadata}
    setup = {"duration": 0.25, "outcome": "passed"}
    known = {"nodeid": check, "outcome": outcome, "metadata": {"yakei": yakei}}
    return {**known, "setup": setup, "call": call}


def started(check: str) -> dict[str, Any]:
    return {"event": "started", "nodeid": check, "at": 1.0}


def finished(check: str, outcome: str = "passed") -> dict[str, Any]:
    return {"event": "finished", "test": entry(check, outcome)}

"""A message as the runner writes them, for the tests of what carries it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from yakei.incidents.remembered import Reason
from yakei.message import Item, Message
from yakei.results import Severity

WRITTEN = datetime(2010, 1, 18, 3, 5, tzinfo=UTC)


def a_message(
    subject: str = "[CRIT] app01 queue analyze_page: 1396 waiting (limit 1000)",
    body: str = "analyze_page has 1396 unprocessed rows.\n\nRunbook   https://wiki.example.com/q?a=1&b=2\n",
    *,
    severity: Severity = Severity.CRITICAL,
    created: datetime = WRITTEN,
    items: tuple[Item, ...] = (),
) -> Message:
    """Return a message about a queue, with the parts that a test cares about."""
    return Message(
        subject=subject,
        body=body,
        severity=severity,
        run_id="20100118-0305-4711",
        created=created,
        host="app01",
        items=items,
    )


def an_item(incident: str = "i1", reason: Reason = Reason.NEW, **more: Any) -> Item:
    """Return one thing that a message tells, with the parts that a test cares about."""
    known: dict[str, Any] = {
        "key": f"monitors/test_queues.py::test_depth[{incident}]",
        "label": f"queue {incident}",
        "fact": "1396 waiting (limit 1000)",
        "severity": Severity.CRITICAL,
        "since": WRITTEN,
    }
    return Item(incident=incident, reason=reason, **{**known, **more})

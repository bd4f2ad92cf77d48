"""A message as the runner writes them, for the tests of what carries it."""

from __future__ import annotations

from datetime import UTC, datetime

from yakei.message import Message
from yakei.results import Severity

WRITTEN = datetime(2010, 1, 18, 3, 5, tzinfo=UTC)


def a_message(
    subject: str = "[CRIT] app01 queue analyze_page: 1396 waiting (limit 1000)",
    body: str = "analyze_page has 1396 unprocessed rows.\n\nRunbook   https://wiki.example.com/q?a=1&b=2\n",
    *,
    severity: Severity = Severity.CRITICAL,
    created: datetime = WRITTEN,
) -> Message:
    """Return a message about a queue, with the parts that a test cares about."""
    return Message(
        subject=subject,
        body=body,
        severity=severity,
        run_id="20100118-0305-4711",
        created=created,
    )

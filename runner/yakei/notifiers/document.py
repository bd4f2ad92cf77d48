"""Writes a message as the JSON document that programs read (docs/channels.md, "The document")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from yakei.words import clean, one_line

if TYPE_CHECKING:
    from yakei.message import Item, Message

VERSION = 1
"""Grows when a reader of an earlier version would misunderstand; a new field changes nothing."""


def document(message: Message) -> dict[str, Any]:
    """Return the whole message in plain JSON values; times are ISO 8601 with their offset."""
    return {
        "version": VERSION,
        "host": message.host,
        "run": message.run_id,
        "created": message.created.isoformat(),
        "severity": message.severity.value,
        "subject": one_line(message.subject),
        "text": clean(message.body),
        "incidents": [_incident(item) for item in message.items],
    }


def _incident(item: Item) -> dict[str, Any]:
    return {
        "incident": item.incident,
        "key": clean(item.key),
        "reason": item.reason.value,
        "label": one_line(item.label),
        "fact": one_line(item.fact),
        "severity": item.severity.value,
        "since": item.since.isoformat(),
        "runs": item.runs,
        "owner": item.owner,
        "runbook": item.runbook,
        "claim": one_line(item.claim),
        "checks": list(item.checks),
    }

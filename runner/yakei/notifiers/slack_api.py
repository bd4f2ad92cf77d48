"""Calls a method of Slack's Web API, and reads what it says (https://api.slack.com/web)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from yakei.notifiers.errors import DeliveryError
from yakei.notifiers.exchange import Answer
from yakei.notifiers.posting import post
from yakei.notifiers.slack import WORD

_LARGEST_ANSWER = 1_000_000
"""Bytes: Slack answers with the whole message, as it has understood it."""
_PASSING = {
    "fatal_error",
    "internal_error",
    "message_limit_exceeded",
    "rate_limited",
    "ratelimited",
    "request_timeout",
    "service_unavailable",
    "team_added_to_org",
    "external_channel_migrating",
}
"""The errors that another try may not meet; after any other something has to be changed."""


@dataclass(frozen=True)
class Said:
    """What Slack says to a call."""

    channel: str = ""
    ts: str = ""
    word: str = ""
    """Its error, such as `channel_not_found`."""
    refusal: DeliveryError | None = None


def call(url: str, token: str, arguments: Mapping[str, Any], ends: float) -> Said:
    """Return what Slack says to a method's arguments.

    Raises:
        DeliveryError: there was no answer by `ends`.
    """
    headers = {"Authorization": f"Bearer {token}"}
    return _said(post(url, arguments, ends, headers=headers, largest=_LARGEST_ANSWER))


def _said(answer: Answer) -> Said:
    """Return what an answer means; Slack says 200 to nearly everything."""
    try:
        document = json.loads(answer.body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        problem = f"answered {answer.status} with something else than JSON"
        permanent = answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}
        refusal = DeliveryError(problem, permanent=permanent, retry_after=answer.retry_after)
        return Said(refusal=refusal)
    if answer.status == HTTPStatus.OK and document.get("ok") is True:
        return Said(channel=str(document.get("channel", "")), ts=str(document.get("ts", "")))
    word = str(document.get("error", ""))
    word = word if WORD.fullmatch(word) else ""
    permanent = bool(word) and word not in _PASSING
    problem = f"answered {word or answer.status}"
    refusal = DeliveryError(problem, permanent=permanent, retry_after=answer.retry_after)
    return Said(word=word, refusal=refusal)

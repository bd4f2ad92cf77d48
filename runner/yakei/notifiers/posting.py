"""Posts JSON to a web server that may ask to wait a moment: once, and then once more."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from yakei.notifiers.exchange import LARGEST_ANSWER, Answer, exchange

_LONGEST_WAIT = 5.0
"""Seconds of Retry-After that are waited for; after more of them a later run has its turn."""
_BUSY = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
"""The answers that Retry-After belongs to (RFC 9110, 15.6.4, and RFC 6585, 4)."""


def post(
    url: str,
    document: Mapping[str, Any],
    ends: float,
    *,
    headers: Mapping[str, str] | None = None,
    largest: int = LARGEST_ANSWER,
) -> Answer:
    """Return what a server answers to a JSON document.

    Args:
        url: where to; `check_url` has seen it.
        document: what to post.
        ends: when to give up, by `time.monotonic()`; a wait that ends later is not begun.
        headers: besides the content's type.
        largest: bytes of the answer's body that are read.

    Raises:
        DeliveryError: there was no answer in time.
    """
    data = json.dumps(document).encode()
    headers = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}

    def once() -> Answer:
        seconds = ends - time.monotonic()
        return exchange(url, seconds=seconds, data=data, headers=headers, largest=largest)

    answer = once()
    wait, longest = answer.retry_after, min(_LONGEST_WAIT, ends - time.monotonic())
    if answer.status not in _BUSY or wait is None or wait > longest:
        return answer
    time.sleep(wait)
    return once()

"""Tells an outside watcher that a whole cycle was finished, so that silence can be trusted.

The watcher's side is that of healthchecks.io: `URL/start` before, `URL/<exit code>` after.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit, urlunsplit

from yakei.notifiers.errors import DeliveryError
from yakei.notifiers.exchange import check_url, exchange
from yakei.words import clean

_LONGEST_TEXT = 10_000
"""Bytes of the report that go along; hosted watchers keep 10 to 100 kB."""
_NOT_COUNTED = re.compile(r"OK \((not found|rate limited)\)")
"""healthchecks.io says 200 with one of these bodies to a ping that it has not counted."""


@dataclass(frozen=True)
class Heartbeat:
    """The ping URL of one watched cycle; the URL is the secret."""

    url: str = field(repr=False)
    timeout: timedelta = timedelta(seconds=5)
    """For each of the two requests."""

    def __post_init__(self) -> None:
        try:
            check_url(self.url)
        except ValueError as error:
            raise ValueError(f"url: {error}") from None

    def start(self, run_id: str) -> str | None:
        """Say that a run begins; return what went wrong in a few words, or None."""
        return self._ping("start", run_id, None)

    def finish(self, exit_code: int, text: str, run_id: str | None = None) -> str | None:
        """Say that a run has ended; return what went wrong in a few words, or None.

        Args:
            exit_code: of the run, 0 to 255; the watcher takes any but 0 for a failure.
            text: the report, without secrets; its last 10 kB go along.
            run_id: as given to `start`, so that the watcher can tell how long it took.
        """
        tail = clean(text).encode()[-_LONGEST_TEXT:].decode(errors="ignore")
        return self._ping(str(exit_code), run_id, tail.encode())

    def _ping(self, what: str, run_id: str | None, data: bytes | None) -> str | None:
        headers = {"Content-Type": "text/plain; charset=utf-8"} if data is not None else {}
        seconds = self.timeout.total_seconds()
        address = _address(self.url, what, run_id)
        try:
            answer = exchange(address, seconds=seconds, data=data, headers=headers)
        except DeliveryError as error:
            return f"heartbeat failed: {error}"
        if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            return f"heartbeat failed: answered {answer.status}"
        if uncounted := _NOT_COUNTED.match(answer.body):
            return f"heartbeat failed: answered {answer.status} but {uncounted[1]}"
        return None


def _address(url: str, what: str, run_id: str | None) -> str:
    """Return the URL with a last path segment, and the run as the UUID that the watcher wants."""
    parts = urlsplit(url)
    run = urlencode({"rid": _uuid(run_id)}) if run_id else ""
    query = "&".join(filter(None, (parts.query, run)))
    return urlunsplit((parts.scheme, parts.netloc, f"{parts.path.rstrip('/')}/{what}", query, ""))


def _uuid(run_id: str) -> str:
    """Return the run's id when it is a UUID, else a UUID that always stands for it."""
    try:
        return str(uuid.UUID(run_id))
    except ValueError:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, run_id))

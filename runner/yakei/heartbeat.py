"""Tells an outside watcher that a whole cycle was finished, so that silence can be trusted.

The watcher's side is that of healthchecks.io: `URL/start` before, `URL/<exit code>` after.
"""

from __future__ import annotations

import re
import signal
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from threading import Thread
from urllib.parse import urlencode, urlsplit, urlunsplit

from yakei.notifiers.errors import DeliveryError
from yakei.notifiers.exchange import check_url, exchange
from yakei.words import clean

_LONGEST_TEXT = 10_000
"""Bytes of the report that go along; hosted watchers keep 10 to 100 kB."""
_NOT_COUNTED = re.compile(r"OK \((not found|rate limited)\)")
"""healthchecks.io says 200 with one of these bodies to a ping that it has not counted."""
_SERVERS_FAULT = HTTPStatus.INTERNAL_SERVER_ERROR
_TRIES = 3
_PAUSE = 0.5
"""Seconds between two tries, unless the watcher asks for more."""
_SHARE = 0.6
"""Of the time that is left, for each try but the last: a watcher that is merely slow gets most."""


class Ping:
    """A ping that is under way beside the run."""

    def __init__(self, send: Callable[[], str | None]) -> None:
        """Begin to send it, in a thread that keeps no process from ending."""
        self._note: Future[str | None] = Future()
        self._send = send
        # Whoever ends us tells the run's own thread, which blocks signals where they would do harm.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            Thread(target=self._work, name="yakei-heartbeat", daemon=True).start()
        except RuntimeError:  # too many threads or processes on this machine
            self._note.set_result("heartbeat failed: no thread for it could be started")
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def note(self) -> str | None:
        """Return what went wrong in a few words, or None; waits for the ping to be over."""
        return self._note.result()

    def _work(self) -> None:
        try:
            self._note.set_result(self._send())
        except Exception as error:  # noqa: BLE001 - its text is unknown and may hold the URL
            self._note.set_result(f"heartbeat failed: an unexpected {type(error).__name__}")


@dataclass(frozen=True)
class Heartbeat:
    """The ping URL of one watched cycle; the URL is the secret."""

    url: str = field(repr=False)
    timeout: timedelta = timedelta(seconds=5)
    """For each of the two pings, with all that is tried again."""

    def __post_init__(self) -> None:
        try:
            check_url(self.url)
        except ValueError as error:
            raise ValueError(f"url: {error}") from None

    def start(self, run_id: str) -> Ping:
        """Begin to say that a run begins: the run does not wait for it."""
        return Ping(lambda: self._ping("start", run_id, None))

    def finish(self, exit_code: int, text: str, run_id: str | None = None) -> str | None:
        """Say that a run has ended; return what went wrong in a few words, or None.

        Args:
            exit_code: of the run, 0 to 255; the watcher takes any but 0 for a failure.
            text: the report, without secrets; its last 10 kB go along.
            run_id: as given to `start`, so that the watcher can tell how long it took.
        """
        tail = clean(text).encode()[-_LONGEST_TEXT:].decode(errors="ignore").encode()
        return Ping(lambda: self._ping(str(exit_code), run_id, tail)).note()

    def _ping(self, what: str, run_id: str | None, data: bytes | None) -> str | None:
        """Try until the watcher has counted it, or the time is over."""
        address = _address(self.url, what, run_id)
        ends = time.monotonic() + self.timeout.total_seconds()
        for number in range(1, _TRIES + 1):
            left = ends - time.monotonic()
            problem, pause = _try(address, data, left if number == _TRIES else left * _SHARE)
            if not problem:
                return None
            if pause is None or number == _TRIES or time.monotonic() + pause >= ends:
                break
            time.sleep(pause)
        tried = f" ({number} tries)" if number > 1 else ""
        return f"heartbeat failed: {problem}{tried}"


def _try(address: str, data: bytes | None, seconds: float) -> tuple[str, float | None]:
    """Return what went wrong, if anything, and in how many seconds it is worth another try."""
    headers = {"Content-Type": "text/plain; charset=utf-8"} if data is not None else {}
    try:
        answer = exchange(address, seconds=seconds, data=data, headers=headers)
    except DeliveryError as error:
        return str(error), _PAUSE
    problem = f"answered {answer.status}"
    if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        uncounted = _NOT_COUNTED.match(answer.body)
        return (f"{problem} but {uncounted[1]}", None) if uncounted else ("", None)
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS or answer.status >= _SERVERS_FAULT:
        return problem, max(_PAUSE, answer.retry_after or 0.0)
    return problem, None


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

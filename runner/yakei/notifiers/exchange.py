"""Bounds what talks to the network: an overall time, a largest answer, no redirects.

A socket's timeout starts again with every byte, so a server that sends one byte a second, or a
resolver that does not answer, would hold the runner for as long as it likes.
"""

from __future__ import annotations

import email.utils
import http.client
import re
import socket
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from threading import Thread
from typing import TypeVar
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import (
    BaseHandler,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from yakei import __version__
from yakei.notifiers.errors import DeliveryError

T = TypeVar("T")

LARGEST_ANSWER = 1000
"""Bytes of an answer that are read; `ok` is two."""
_GRACE = 1.0
"""Seconds by which a socket's own timeout comes after the overall one, to end what it left."""
_URL = re.compile(r"[!-~]+")


@dataclass(frozen=True)
class Answer:
    """What a web server said."""

    status: int
    body: str
    """The beginning of the body; a server's own words, fit for comparing, not for showing."""
    retry_after: float | None
    """Seconds, from the header of that name, which holds a number or a date (RFC 9110, 10.2.3)."""


def check_url(url: str) -> None:
    """Refuse what is no plain web address.

    Raises:
        ValueError: with what is expected and without the address, which may be a secret.
    """
    expected = "expected a URL such as https://host/path, without user and password"
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        usable = False
    if not usable or parts.scheme not in {"http", "https"} or not _URL.fullmatch(url):
        raise ValueError(expected)


def exchange(
    url: str,
    *,
    seconds: float,
    data: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    largest: int = LARGEST_ANSWER,
) -> Answer:
    """Return what the server answers to a POST of `data`, or to a GET without it.

    The proxies of the environment (`https_proxy`, `no_proxy`) are used, certificates are
    verified against the system's authorities, and a redirect is an answer like any other.

    Args:
        url: where to; `check_url` has seen it.
        seconds: for the whole exchange.
        data: what to post.
        headers: besides our own.
        largest: bytes of the answer's body that are read.

    Raises:
        DeliveryError: there was no answer, or none within `seconds`.
    """
    request = Request(url, data=data, headers={"User-Agent": f"yakei/{__version__}"})  # noqa: S310 - check_url has seen it
    for name, value in (headers or {}).items():
        request.add_header(name, value)
    try:
        return within(seconds, lambda: _exchange(request, seconds + _GRACE, largest))
    except TimeoutError:
        problem = no_answer(seconds)
    except (OSError, http.client.HTTPException, ValueError) as error:
        problem = reason(error)
    raise DeliveryError(problem)


def within(seconds: float, work: Callable[[], T]) -> T:
    """Return what `work` returns, or raise what it raises.

    The work is done in a thread that is left to itself when its time is over; it keeps no
    process from ending.

    Raises:
        TimeoutError: the work has not ended after so many seconds.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            future.set_exception(error)

    Thread(target=run, name="yakei-within", daemon=True).start()
    return future.result(timeout=max(seconds, 0))


def no_answer(seconds: float) -> str:
    """Return how the end of the time reads in an error: to a tenth of a second.

    What is left of a channel's time may be 9.998 of its ten seconds, which says nothing more.
    """
    return f"no answer within {max(round(seconds, 1), 0.1):g} s"


def reason(error: BaseException) -> str:
    """Return in a few words why a connection failed, without addresses and foreign text."""
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the server's certificate is not trusted: {cause.verify_message}"
    if isinstance(cause, ssl.SSLError):
        return f"TLS failed: {cause.reason}"
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    if isinstance(cause, socket.gaierror):
        return "the host's name could not be resolved"
    if isinstance(cause, OSError) and cause.errno and cause.strerror:
        return cause.strerror.lower()
    return f"the connection broke ({type(cause).__name__})"


def _exchange(request: Request, timeout: float, largest: int) -> Answer:
    with _opener().open(request, timeout=timeout) as response:
        return Answer(
            status=response.status,
            body=response.read(largest).decode(errors="replace"),
            retry_after=_seconds(response.headers.get("Retry-After", "")),
        )


def _opener() -> OpenerDirector:
    """Return an opener that knows http and https only, and follows nothing."""
    opener = OpenerDirector()
    handlers: tuple[BaseHandler, ...] = (
        ProxyHandler(),
        HTTPHandler(),
        HTTPSHandler(context=_trust()),
    )
    for handler in handlers:
        opener.add_handler(handler)
    return opener


@cache
def _trust() -> ssl.SSLContext:
    """Return the system's authorities; reading them takes longer than a whole exchange."""
    return ssl.create_default_context()


def _seconds(text: str) -> float | None:
    if re.fullmatch(r"\d{1,6}(\.\d+)?", text.strip()):
        return float(text)
    try:
        until = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    left = until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)
    return max(left.total_seconds(), 0.0)

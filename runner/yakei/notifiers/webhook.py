"""Posts messages as JSON to any web server that answers with its status."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from yakei.notifiers.document import document
from yakei.notifiers.errors import DeliveryError
from yakei.notifiers.exchange import Answer, check_url
from yakei.notifiers.expected import refuse_clear_text, refuse_no_time, refuse_odd_token
from yakei.notifiers.identity import identity
from yakei.notifiers.posting import post

if TYPE_CHECKING:
    from yakei.message import Message

_PASSING = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
}
"""The client's errors that another try may not meet."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The keys of `[notify.NAME]` with `kind = "webhook"`."""

    url: str = field(repr=False, metadata={"secret": True})
    token: str | None = field(default=None, repr=False, metadata={"secret": True})
    """Sent as `Authorization: Bearer TOKEN`."""
    timeout: timedelta = timedelta(seconds=10)
    """For the whole delivery, the name's resolution and the one repetition included."""

    def __post_init__(self) -> None:
        try:
            check_url(self.url)
            if self.token is not None:
                refuse_clear_text(self.url)
        except ValueError as error:
            raise ValueError(f"url: {error}") from None
        if self.token is not None:
            refuse_odd_token(self.token)
        refuse_no_time(self.timeout)


@dataclass(frozen=True)
class Webhook:
    """Posts each message once; any answer of 200 to 299 takes it."""

    name: str
    settings: Settings

    def notify(self, message: Message) -> None:
        """Post the message; when the server asks to wait a moment, once more.

        Raises:
            DeliveryError: there was no answer, or another one than 200 to 299.
        """
        headers = {"Idempotency-Key": identity(message)}
        if self.settings.token is not None:
            headers["Authorization"] = f"Bearer {self.settings.token}"
        ends = time.monotonic() + self.settings.timeout.total_seconds()
        answer = post(self.settings.url, document(message), ends, headers=headers)
        if refusal := _refusal(answer):
            raise refusal


def notifier(name: str, settings: Settings) -> Webhook:
    """Return the channel of `[notify.NAME]`; nothing is sent yet."""
    return Webhook(name, settings)


def _refusal(answer: Answer) -> DeliveryError | None:
    """Return why the answer is no delivery; its body is not quoted, for it is anybody's."""
    status = answer.status
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return None
    theirs = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    permanent = theirs and status not in _PASSING
    return DeliveryError(f"answered {status}", permanent=permanent, retry_after=answer.retry_after)

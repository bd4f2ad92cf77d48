"""Tells a Slack channel, or a service that takes the same JSON, through an incoming webhook."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from yakei.notifiers.errors import DeliveryError
from yakei.notifiers.exchange import Answer, check_url
from yakei.notifiers.expected import refuse_no_time
from yakei.notifiers.posting import post
from yakei.notifiers.slack_layout import payload

if TYPE_CHECKING:
    from yakei.message import Message

_PERMANENT = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.GONE,
}
"""Slack's answers to a payload it does not like and to a webhook that is no more."""
WORD = re.compile(r"[a-z_]{1,60}")
"""An error as Slack names it, such as no_service; other bodies are not quoted."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The keys of `[notify.NAME]` with `kind = "slack"`."""

    webhook: str = field(repr=False, metadata={"secret": True})
    timeout: timedelta = timedelta(seconds=10)
    """For the whole delivery, the name's resolution and the one repetition included."""

    def __post_init__(self) -> None:
        try:
            check_url(self.webhook)
        except ValueError as error:
            raise ValueError(f"webhook: {error}") from None
        refuse_no_time(self.timeout)


@dataclass(frozen=True)
class Slack:
    """Posts each message once; a message counts as delivered when Slack says `ok`."""

    name: str
    settings: Settings

    def notify(self, message: Message) -> None:
        """Post the message; when Slack asks to wait a moment, once more.

        Raises:
            DeliveryError: there was no answer, or another one than 200 with the body `ok`.
        """
        ends = time.monotonic() + self.settings.timeout.total_seconds()
        if refusal := _refusal(post(self.settings.webhook, payload(message), ends)):
            raise refusal


def notifier(name: str, settings: Settings) -> Slack:
    """Return the channel of `[notify.NAME]`; nothing is sent yet."""
    return Slack(name, settings)


def _refusal(answer: Answer) -> DeliveryError | None:
    """Return why the answer is no delivery; Slack can say 200 and not have taken it."""
    said = answer.body.strip()
    if answer.status == HTTPStatus.OK:
        return None if said == "ok" else DeliveryError("answered 200 without ok")
    words = f"answered {answer.status}" + (f" {said}" if WORD.fullmatch(said) else "")
    permanent = answer.status in _PERMANENT
    return DeliveryError(words, permanent=permanent, retry_after=answer.retry_after)

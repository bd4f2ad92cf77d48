"""Tells a Slack channel, or a service that takes the same JSON, through an incoming webhook."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from yakei.notifiers.errors import DeliveryError
from yakei.notifiers.exchange import Answer, check_url, exchange
from yakei.results import Severity
from yakei.words import clean, cut, one_line

if TYPE_CHECKING:
    from yakei.message import Message

_LONGEST_WAIT = 5.0
"""Seconds of Retry-After that are waited for; after more of them the next run has its turn."""
_PERMANENT = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.GONE,
}
"""Slack's answers to a payload it does not like and to a webhook that is no more."""

_SECTION = 2900
"""Characters of one section; Slack refuses more than 3000, and the code fence needs some."""
_SECTIONS = 10
"""Sections that a body may fill: far more than anybody reads in a chat."""
_LINE = 500
"""Characters of one line, which must fit a section even when each becomes five (`&amp;`)."""
_SUBJECT = 300
_TEXT = 3000
"""Characters of `text`, which Slack shows in a notification, and others as the message."""
_LINKS = 5

_COLOURS = {Severity.CRITICAL: ":red_circle:", Severity.WARNING: ":large_yellow_circle:"}
_LINK = re.compile(r"https?://[^\s<>|\"'`]+")
_WORD = re.compile(r"[a-z_]{1,60}")
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
        if self.timeout <= timedelta(0):
            raise ValueError('timeout: expected a duration longer than "0s"')


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
        data = json.dumps(payload(message)).encode()
        ends = time.monotonic() + self.settings.timeout.total_seconds()
        answer = self._post(data, ends)
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS and answer.retry_after is not None:
            longest = min(_LONGEST_WAIT, ends - time.monotonic())
            if answer.retry_after <= longest:
                time.sleep(answer.retry_after)
                answer = self._post(data, ends)
        if refusal := _refusal(answer):
            raise refusal

    def _post(self, data: bytes, ends: float) -> Answer:
        seconds = ends - time.monotonic()
        headers = {"Content-Type": "application/json; charset=utf-8"}
        return exchange(self.settings.webhook, seconds=seconds, data=data, headers=headers)


def notifier(name: str, settings: Settings) -> Slack:
    """Return the channel of `[notify.NAME]`; nothing is sent yet."""
    return Slack(name, settings)


def payload(message: Message) -> dict[str, Any]:
    """Return what Slack is sent: the subject in bold, the body as it is aligned, the links.

    In a code block a URL is no link, so those of the body are repeated below it.
    """
    subject = cut(one_line(message.subject), _SUBJECT) or "(no subject)"
    body = clean(message.body).strip("\n").replace("```", "'''")
    heading = f"{_COLOURS[message.severity]} *{_escaped(subject)}*"
    links = [f"<{_escaped(url)}>" for url in _urls(body)]
    fences = [f"```\n{part}\n```" for part in _sections(body)]
    text = f"{subject}\n{body}"
    return {
        "text": _escaped(text if len(text) <= _TEXT else f"{text[: _TEXT - 1]}…"),
        "blocks": [_section(part) for part in (heading, *fences, *links)],
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _section(text: str) -> dict[str, Any]:
    """Return a block; `verbatim` keeps Slack from reading names and links out of plain text."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _escaped(text: str) -> str:
    """Return the text with what Slack gives a meaning to escaped, such as `<!channel>`."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _sections(body: str) -> list[str]:
    """Return the body escaped and cut into sections, and say so when the rest is left out."""
    parts = [""]
    for line in _lines(body):
        if len(parts[-1]) + len(line) >= _SECTION:
            parts.append("")
        parts[-1] += f"\n{line}" if parts[-1] else line
    kept = parts[:_SECTIONS]
    if left_out := sum(part.count("\n") + 1 for part in parts[_SECTIONS:]):
        kept.append(f"… {left_out} more lines are in the log")
    return [part for part in kept if part]


def _lines(body: str) -> Iterator[str]:
    for line in body.split("\n"):
        for start in range(0, max(len(line), 1), _LINE):
            yield _escaped(line[start : start + _LINE])


def _urls(body: str) -> list[str]:
    found = (url.rstrip(".,;:!?)]}") for url in _LINK.findall(body) if len(url) <= _LINE)
    return list(dict.fromkeys(found))[:_LINKS]


def _refusal(answer: Answer) -> DeliveryError | None:
    """Return why the answer is no delivery; Slack can say 200 and not have taken it."""
    said = answer.body.strip()
    if answer.status == HTTPStatus.OK:
        return None if said == "ok" else DeliveryError("answered 200 without ok")
    words = f"answered {answer.status}" + (f" {said}" if _WORD.fullmatch(said) else "")
    permanent = answer.status in _PERMANENT
    return DeliveryError(words, permanent=permanent, retry_after=answer.retry_after)

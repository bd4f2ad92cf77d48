"""Tells people through any of the services that Apprise knows; the extra `yakei[apprise]`."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from yakei.incidents.remembered import Reason
from yakei.notifiers.errors import DeliveryError
from yakei.notifiers.exchange import no_answer, within
from yakei.notifiers.expected import refuse_no_time
from yakei.notifiers.identity import identity
from yakei.results import Severity
from yakei.words import clean, one_line

if TYPE_CHECKING:
    from apprise import NotifyBase

    from yakei.message import Message

_CHATTY = ("apprise", "urllib3", "requests_oauthlib")
"""The loggers of Apprise and of what it sends with: they write addresses, which hold tokens."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The keys of `[notify.NAME]` with `kind = "apprise"`."""

    urls: tuple[str, ...] = field(repr=False, metadata={"secret": True})
    """Such as `ntfy://topic`; https://appriseit.com/services/ lists them."""
    timeout: timedelta = timedelta(seconds=15)
    """For all of them; Apprise waits up to 4 s for a connection and as long for an answer."""

    def __post_init__(self) -> None:
        if not self.urls:
            raise ValueError("urls: expected at least one")
        for number, url in enumerate(self.urls):
            _service(url, f"urls[{number}]")
        refuse_no_time(self.timeout)


@dataclass(frozen=True)
class Apprise:
    """Sends each message to every URL; it is delivered when all of them took it."""

    name: str
    settings: Settings

    def notify(self, message: Message) -> None:
        """Send the message, and return when every service has taken it.

        Raises:
            DeliveryError: one has not; the services that have are told again with the next try.
        """
        self.converse(message, {})

    def converse(self, message: Message, memory: dict[str, Any]) -> None:
        """Send the message to the services that have not taken it in an earlier try.

        Raises:
            DeliveryError: one has not taken it; `memory` knows which have.
        """
        said, ends = identity(message), time.monotonic() + self.settings.timeout.total_seconds()
        taken = list(memory.get("taken", ())) if memory.get("message") == said else []
        missing = []
        for number, url in enumerate(self.settings.urls):
            if number in taken:
                continue
            if problem := _problem(url, message, ends - time.monotonic()):
                missing.append(f"urls[{number}] {problem}")
            else:
                taken.append(number)
                memory.update(message=said, taken=list(taken))
        if missing:
            raise DeliveryError("; ".join(missing))
        memory.clear()


def notifier(name: str, settings: Settings) -> Apprise:
    """Return the channel of `[notify.NAME]`; nothing is sent yet."""
    return Apprise(name, settings)


def _service(url: str, key: str) -> NotifyBase:
    """Return the service of a URL; nothing is sent yet.

    Raises:
        ValueError: the extra is not installed, or Apprise does not understand the URL.
    """
    try:
        import apprise
        import urllib3
    except ImportError:
        raise ValueError("urls: Apprise is missing; pip install 'yakei[apprise]'") from None
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    urllib3.disable_warnings()  # who writes `verify=no` into a URL has decided so
    asset = apprise.AppriseAsset(
        app_id="Yakei", app_desc="Yakei", storage_mode=apprise.PersistentStoreMode.MEMORY
    )
    service = apprise.Apprise.instantiate(url, asset=asset)
    if service is None:
        example = "such as ntfy://topic; https://appriseit.com/services/ lists them"
        raise ValueError(f"{key}: expected a URL that Apprise understands, {example}")
    if "overflow=" not in url:
        # Services refuse what is longer than they like, and the first screen tells all.
        service.overflow_mode = apprise.OverflowMode.TRUNCATE
    return service


def _problem(url: str, message: Message, seconds: float) -> str:
    """Return why a service has not taken a message, or nothing; never in Apprise's own words."""
    try:
        taken = within(seconds, lambda: _sent(url, message))
    except TimeoutError:
        return no_answer(max(seconds, 0))
    except Exception as error:  # noqa: BLE001 - one of a hundred services must not cost the others
        return f"stopped with an unexpected {type(error).__name__}"
    return "" if taken else "did not take it"


def _sent(url: str, message: Message) -> bool:
    import apprise

    library = apprise.Apprise()
    library.add(_service(url, "urls"))
    kinds = {
        Severity.CRITICAL: apprise.NotifyType.FAILURE,
        Severity.WARNING: apprise.NotifyType.WARNING,
    }
    well = message.items and all(item.reason is Reason.RECOVERED for item in message.items)
    return bool(
        library.notify(
            title=one_line(message.subject),
            body=clean(message.body) or one_line(message.subject) or "(no text)",
            notify_type=apprise.NotifyType.SUCCESS if well else kinds[message.severity],
            body_format=apprise.NotifyFormat.TEXT,
        )
    )

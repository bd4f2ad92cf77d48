"""The channels that people are told through: one module for each kind."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from yakei.notifiers.errors import DeliveryError

if TYPE_CHECKING:
    from yakei.incidents.remembered import Incident
    from yakei.message import Message

__all__ = ["KINDS", "Conversing", "DeliveryError", "Notifier", "Showing"]

KINDS: dict[str, str] = {
    "email": "yakei.notifiers.email",
    "slack": "yakei.notifiers.slack",
    "slack-bot": "yakei.notifiers.slack_bot",
    "webhook": "yakei.notifiers.webhook",
    "command": "yakei.notifiers.command",
    "apprise": "yakei.notifiers.apprise",
}
"""The module of each kind, imported when the kind is configured.

Such a module has `Settings`, a dataclass of the keys of `[notify.NAME]`, and
`notifier(name, settings)`, which returns a `Notifier` and does no I/O.
"""


class Notifier(Protocol):
    """Delivers messages through one channel."""

    @property
    def name(self) -> str:
        """The NAME of `[notify.NAME]`, as people know the channel."""
        ...

    def notify(self, message: Message) -> None:
        """Deliver a message, and return only when the receiver has taken it.

        Ends within the channel's `timeout`, whatever the receiver does.

        Raises:
            DeliveryError: it was not taken, or not by every recipient.
        """
        ...


@runtime_checkable
class Conversing(Notifier, Protocol):
    """A notifier that remembers what it said, from message to message and from run to run."""

    def converse(self, message: Message, memory: dict[str, Any]) -> None:
        """Deliver a message as `notify` does, in the light of what was said before.

        Args:
            message: what to deliver.
            memory: the channel's own JSON document, empty at first; changed in place as soon as
                the receiver has taken a part, also when a later part fails, so that the next try
                does not repeat it. It holds no secret. Delivery keeps it in the same write that
                marks the message.

        Raises:
            DeliveryError: it was not taken, or not by every recipient.
        """
        ...


@runtime_checkable
class Showing(Conversing, Protocol):
    """A conversing notifier whose earlier messages can show how things stand now."""

    def show(self, incidents: Iterable[Incident], now: datetime, memory: dict[str, Any]) -> None:
        """Bring earlier messages up to date, and call nobody; what fails is for the next run.

        Ends within the channel's `timeout`.

        Args:
            incidents: the open ones; what was told of others is over.
            now: the time of this run.
            memory: as `converse` left it; changed in place.
        """
        ...

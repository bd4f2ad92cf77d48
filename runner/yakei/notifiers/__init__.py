"""The channels that people are told through: one module for each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from yakei.notifiers.errors import DeliveryError

if TYPE_CHECKING:
    from yakei.message import Message

__all__ = ["KINDS", "DeliveryError", "Notifier"]

KINDS: dict[str, str] = {
    "email": "yakei.notifiers.email",
    "slack": "yakei.notifiers.slack",
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

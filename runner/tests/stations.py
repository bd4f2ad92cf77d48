"""Channels of a test's own, for the tests of delivery, and what runs them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from outboxes import Outbox
from receivers import WRITTEN

from yakei.delivery import DeliveryReport, deliver
from yakei.message import Message
from yakei.notifiers import DeliveryError, Notifier


@dataclass
class Station:
    """A channel of a test's own, which takes what it is told to take."""

    name: str
    refusals: list[DeliveryError | None] = field(default_factory=list)
    """What becomes of the next messages; later ones are taken."""
    got: list[Message] = field(default_factory=list)
    before: threading.Event | None = None
    """What it waits for before it takes anything."""

    def notify(self, message: Message) -> None:
        """Take or refuse a message."""
        if self.before:
            assert self.before.wait(30)
        refusal = self.refusals.pop(0) if self.refusals else None
        if refusal:
            raise refusal
        self.got.append(message)

    @property
    def subjects(self) -> list[str]:
        """Return the subjects of what it took."""
        return [message.subject for message in self.got]


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def run(
    outbox: Outbox, *channels: Notifier, after: timedelta = timedelta(0), **more: Any
) -> DeliveryReport:
    """Deliver, so long after the messages were written."""
    return deliver(outbox, channels, WRITTEN + after, **more)

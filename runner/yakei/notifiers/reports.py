"""What became of the messages that were due."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from yakei.notifiers.errors import DeliveryError

if TYPE_CHECKING:
    from yakei.message import Message


class Failure(NamedTuple):
    """A channel that did not take a message, or not for all of its recipients."""

    notifier: str
    error: DeliveryError
    waiting: int
    """Messages that go on waiting for this channel."""

    def __str__(self) -> str:
        if self.error.delivered:
            return f"{self.notifier} did not reach everybody: {self.error}"
        if not self.waiting:
            return f"{self.notifier} failed: {self.error}"
        messages = "message is" if self.waiting == 1 else "messages are"
        return f"{self.notifier} failed: {self.error}; {self.waiting} {messages} waiting"


class DeliveryReport(NamedTuple):
    """What became of the messages that were due."""

    taken_by: tuple[str, ...] = ()
    """The channels that took the newest message."""
    failures: tuple[Failure, ...] = ()
    untaken: tuple[Message, ...] = ()
    """The messages that no channel has taken, now or in an earlier run, oldest first."""

    @property
    def undelivered(self) -> bool:
        """Whether somebody has to read a message on stdout, because no channel took it."""
        return bool(self.untaken)

    def last_resort(self) -> str:
        """Return the text for stdout: the newest message in full, the others by their subject."""
        if not self.untaken:
            return ""
        *older, newest = self.untaken
        lines = [newest.subject, "", newest.body.rstrip("\n"), ""]
        lines += [f"Also undelivered: {message.subject}" for message in older]
        return "\n".join([*lines, *map(str, self.failures)]).rstrip("\n") + "\n"

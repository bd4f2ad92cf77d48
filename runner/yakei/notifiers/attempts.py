"""Tries channels side by side, so that a slow one delays no other."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from yakei.notifiers import Notifier
from yakei.notifiers.errors import DeliveryError
from yakei.words import clock, how_long

if TYPE_CHECKING:
    from yakei.message import Message

BUDGET = timedelta(seconds=30)
"""How long a channel may go on with what is waiting; the rest is for the next run."""
LATE = timedelta(minutes=1)
"""A message that arrives later than this after it was written says so."""

Row = tuple[int, "Message", datetime, int]
"""A message that waits for one channel: id, message, when it was created, past attempts."""
Waiting = Mapping[str, Sequence[Row]]
"""The rows of each channel, oldest first, by the channel's name."""


@dataclass(frozen=True)
class Attempt:
    """One try of one channel with one message."""

    notifier: str
    row: Row
    error: DeliveryError | None

    @property
    def taken(self) -> bool:
        """Whether the channel has the message now, if not for every recipient."""
        return self.error is None or self.error.delivered


def attempts(notifiers: Sequence[Notifier], waiting: Waiting, now: datetime) -> Iterator[Attempt]:
    """Try each channel's messages, all channels at once, and give out each attempt as it ends.

    A channel goes on until a message is not taken. One that is refused for good could be the
    message's fault, so then the newest is tried too: an old message that a channel will never
    take must not stand before all that come after it.
    """
    results: SimpleQueue[Attempt | None] = SimpleQueue()
    at_work = [notifier for notifier in notifiers if waiting[notifier.name]]
    for notifier in at_work:
        arguments = (notifier, waiting[notifier.name], now, results)
        Thread(target=_work_off, args=arguments, name=notifier.name, daemon=True).start()
    ended = 0
    while ended < len(at_work):
        attempt = results.get()
        if attempt:
            yield attempt
        else:
            ended += 1


def try_once(notifier: Notifier, message: Message) -> DeliveryError | None:
    """Return why a channel has not taken a message, or None."""
    try:
        notifier.notify(message)
    except DeliveryError as error:
        return error
    except Exception as error:  # noqa: BLE001 - a bug in one channel must not cost the others
        # its text is unknown and may hold a secret
        return DeliveryError(f"stopped with an unexpected {type(error).__name__}")
    return None


def opened_with(line: str, message: Message) -> Message:
    """Return the message with a line before its body."""
    return replace(message, body=f"{line}\n\n{message.body}")


def _work_off(
    notifier: Notifier, rows: Sequence[Row], now: datetime, results: SimpleQueue[Attempt | None]
) -> None:
    ends = time.monotonic() + BUDGET.total_seconds()
    waiting, refused = deque(rows), False
    try:
        while waiting and time.monotonic() < ends:
            row = waiting.popleft()
            attempt = Attempt(notifier.name, row, try_once(notifier, as_of(now, row)))
            results.put(attempt)
            if attempt.taken:
                refused = False
            elif refused or not (attempt.error and attempt.error.permanent):
                break
            else:
                refused = True
                waiting.rotate(1)
    finally:
        results.put(None)


def as_of(now: datetime, row: Row) -> Message:
    """Return the message as it is sent now: a late one says how late it is."""
    _, message, created, _ = row
    if now - created <= LATE:
        return message
    late, written = how_long(now - created), clock(created, now, None)
    return opened_with(f"Late by {late}: this was written at {written}.", message)

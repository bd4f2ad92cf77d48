"""Tries channels side by side, so that a slow one delays no other."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from queue import SimpleQueue
from threading import Thread
from typing import Any

from yakei.message import Message, Queued
from yakei.notifiers import Conversing, Notifier
from yakei.notifiers.catching_up import as_sent, batches
from yakei.notifiers.errors import DeliveryError

BUDGET = timedelta(seconds=30)
"""How long a channel may go on with what is waiting; the rest is for the next run."""

Waiting = Mapping[str, Sequence[Queued]]
"""The rows of each channel, oldest first, by the channel's name."""


@dataclass(frozen=True)
class Attempt:
    """One try of one channel with one message, which may stand for several that wait."""

    notifier: str
    rows: tuple[Queued, ...]
    error: DeliveryError | None
    memory: dict[str, Any] | None = None
    """What a conversing channel has to remember from now on; None is for the others."""

    @property
    def taken(self) -> bool:
        """Whether the channel has the message now, if not for every recipient."""
        return self.error is None or self.error.delivered


def attempts(
    notifiers: Sequence[Notifier],
    waiting: Waiting,
    now: datetime,
    memories: Mapping[str, dict[str, Any]],
) -> Iterator[Attempt]:
    """Try each channel's messages, all channels at once, and give out each attempt as it ends.

    A channel goes on until a message is not taken. One that is refused for good could be the
    message's fault, so then the newest is tried too: an old message that a channel will never
    take must not stand before all that come after it.

    Args:
        notifiers: the channels to try.
        waiting: their messages.
        now: the time to judge lateness by.
        memories: what conversing channels remember, by their names; left as it is.
    """
    results: SimpleQueue[Attempt | None] = SimpleQueue()
    at_work = [notifier for notifier in notifiers if waiting[notifier.name]]
    for notifier in at_work:
        memory = deepcopy(memories.get(notifier.name, {}))
        arguments = (notifier, waiting[notifier.name], now, memory, results)
        Thread(target=_work_off, args=arguments, name=notifier.name, daemon=True).start()
    ended = 0
    while ended < len(at_work):
        attempt = results.get()
        if attempt:
            yield attempt
        else:
            ended += 1


def try_once(
    notifier: Notifier, message: Message, memory: dict[str, Any] | None = None
) -> DeliveryError | None:
    """Return why a channel has not taken a message, or None.

    Args:
        notifier: the channel.
        message: what to deliver.
        memory: what a conversing channel remembers, changed in place; without it the message
            stands by itself.
    """
    try:
        if memory is not None and isinstance(notifier, Conversing):
            notifier.converse(message, memory)
        else:
            notifier.notify(message)
    except DeliveryError as error:
        return error
    except Exception as error:  # noqa: BLE001 - a bug in one channel must not cost the others
        # its text is unknown and may hold a secret
        return DeliveryError(f"stopped with an unexpected {type(error).__name__}")
    return None


def _work_off(
    notifier: Notifier,
    rows: Sequence[Queued],
    now: datetime,
    memory: dict[str, Any],
    results: SimpleQueue[Attempt | None],
) -> None:
    ends = time.monotonic() + BUDGET.total_seconds()
    waiting, refused = deque(batches(rows)), False
    try:
        while waiting and time.monotonic() < ends:
            batch = waiting.popleft()
            error = try_once(notifier, as_sent(batch, now), memory)
            kept = deepcopy(memory) if isinstance(notifier, Conversing) else None
            attempt = Attempt(notifier.name, batch, error, kept)
            results.put(attempt)
            if attempt.taken:
                refused = False
            elif refused or not (attempt.error and attempt.error.permanent):
                break
            else:
                refused = True
                if len(batch) > 1:  # one of them may spoil all that it was merged with
                    singles = (*reversed(batch[:-1]), batch[-1])
                    waiting.extendleft((row,) for row in singles)
                else:
                    waiting.rotate(1)
    finally:
        results.put(None)

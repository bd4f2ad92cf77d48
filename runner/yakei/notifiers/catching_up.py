"""Makes of what waits what is sent now: late messages say so, and many become one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from yakei.results import Severity
from yakei.words import SUBJECT_LENGTH, clock, counted, cut, cut_middle, how_long, one_line

if TYPE_CHECKING:
    from yakei.message import Item, Message, Queued

MANY = 10
"""Waiting messages from which on they are sent as one: nobody reads ten in a row at night."""
_MOST = 200
"""Messages that one stands for: each has a line in it, and the whole fits every channel."""
_LATE = timedelta(minutes=1)
"""A message that arrives later than this after it was written says so."""
_NEWEST = 6_000
"""Bytes of the newest message that are repeated whole: its first screen and more."""
_LINES = 200
"""Lines that tell of the others; each of them has one at least."""
_MARK = re.compile(r"^\[[A-Z]+\] ")


def batches(rows: Sequence[Queued]) -> list[tuple[Queued, ...]]:
    """Return what is sent at once: each message by itself, or many as one, oldest first."""
    size = 1 if len(rows) < MANY else _MOST
    return [tuple(rows[start : start + size]) for start in range(0, len(rows), size)]


def as_sent(batch: Sequence[Queued], now: datetime) -> Message:
    """Return the message that is sent now for some that wait, oldest first."""
    return _merged(batch, now) if len(batch) > 1 else as_of(now, batch[0])


def as_of(now: datetime, queued: Queued) -> Message:
    """Return the message as it is sent now: a late one says how late it is."""
    message, created = queued.message, queued.created
    if now - created <= _LATE:
        return message
    late, written = how_long(now - created), clock(created, now, None)
    return opened_with(f"Late by {late}: this was written at {written}.", message)


def opened_with(line: str, message: Message) -> Message:
    """Return the message with a line before its body."""
    return replace(message, body=f"{line}\n\n{message.body}")


def _merged(batch: Sequence[Queued], now: datetime) -> Message:
    """Return one message for all of them: the newest in full, each of the others in a line.

    Each incident is among the items once, as it was told last.
    """
    messages = [each.message for each in batch]
    newest, since = messages[-1], batch[0].created
    critical = any(message.severity is Severity.CRITICAL for message in messages)
    many = counted(len(batch), "late message")
    last = _MARK.sub("", newest.subject)
    lasted = f"since {clock(since, now, None)}, for {how_long(now - since)}"
    return replace(
        newest,
        subject=cut(f"[{'CRIT' if critical else 'WARN'}] {many}, the last: {last}", SUBJECT_LENGTH),
        body="\n".join(
            [
                f"{many}: they have been waiting {lasted}. The last of them:",
                "",
                newest.subject,
                "",
                cut_middle(newest.body.rstrip("\n"), _NEWEST),
                "",
                "Before it, the newest first:",
                *_lines(batch[-2::-1], now),
                "",
            ]
        ),
        severity=Severity.CRITICAL if critical else Severity.WARNING,
        keys=tuple(dict.fromkeys(key for message in messages for key in message.keys)),
        items=tuple(_latest(messages)),
    )


def _lines(batch: Sequence[Queued], now: datetime) -> list[str]:
    """Return each message's subject, with what it left out as far as there is room for it."""
    lines, room = [], _LINES - len(batch)
    for message, created in ((each.message, each.created) for each in batch):
        lines.append(f"{clock(created, now, None)}  {one_line(message.subject)}")
        items = message.items if 1 < len(message.items) <= room else ()
        room -= len(items)
        told = (one_line(f"{item.reason}: {item.label}: {item.fact}") for item in items)
        lines += [f"    {cut(each, SUBJECT_LENGTH)}" for each in told]
    return lines


def _latest(messages: Sequence[Message]) -> list[Item]:
    """Return the last word on each incident, what is critical first."""
    latest: dict[str, Item] = {}
    for message in reversed(messages):
        for item in message.items:
            latest.setdefault(item.incident or item.key, item)
    return sorted(latest.values(), key=lambda item: item.severity is not Severity.CRITICAL)

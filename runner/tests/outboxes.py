"""An outbox in this process's own memory, for the tests of delivery."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from yakei.message import Message, Queued


@dataclass
class Outbox:
    """A store of what waits, in this process's own memory."""

    rows: dict[str, list[Queued]] = field(default_factory=dict)
    memory: Mapping[str, Any] = field(default_factory=dict)
    marks: list[str] = field(default_factory=list)
    """What was marked, in that order."""
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    full: bool = False
    """Whether the disk under the store is full."""
    writes: int = 0
    """How often delivery kept its memory."""

    def add(self, message: Message, *notifiers: str) -> None:
        """Let a message wait for some channels."""
        for notifier in notifiers:
            row = Queued(next(self.numbers), message, message.created)
            self.rows.setdefault(notifier, []).append(row)

    def waiting(self, notifier: str) -> list[str]:
        """Return the subjects of what waits for a channel."""
        return [each.message.subject for each in self.rows.get(notifier, [])]

    def pending(self, notifier: str, /) -> list[Queued]:
        """Return what waits for a channel."""
        return list(self.rows.get(notifier, []))

    def waited_for(self) -> list[str]:
        """Return the channels that anything waits for."""
        return [name for name, waiting in self.rows.items() if waiting]

    def mark_delivered(
        self, rows: Sequence[int], at: datetime, memory: Mapping[str, Any] | None = None, /
    ) -> None:
        """Forget the rows, which a full disk does not allow."""
        assert at.tzinfo
        if self.full:
            raise OSError(28, "No space left on device")
        for notifier, waiting in self.rows.items():
            self.rows[notifier] = [one for one in waiting if one.id not in rows]
            taken = len(waiting) - len(self.rows[notifier])
            self.marks += [f"{notifier} delivered"] * taken
        if memory is not None:
            self.keep_delivery_memory(memory)

    def mark_failed(
        self, rows: Sequence[int], error: str, memory: Mapping[str, Any] | None = None, /
    ) -> None:
        """Note the error."""
        (notifier,) = [
            name for name, waiting in self.rows.items() if rows[0] in {one.id for one in waiting}
        ]
        self.marks.append(f"{notifier} failed: {error}")
        if memory is not None:
            self.keep_delivery_memory(memory)

    def delivery_memory(self) -> Mapping[str, Any]:
        """Return what was kept."""
        return self.memory

    def keep_delivery_memory(self, memory: Mapping[str, Any], /) -> None:
        """Keep it, as JSON would."""
        self.writes += 1
        self.memory = json.loads(json.dumps(memory))

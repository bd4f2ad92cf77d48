"""Remembers from run to run what delivery has to know: a JSON document without secrets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

LONGEST_WAIT = timedelta(hours=1)
"""What a receiver may ask us to wait: longer would be its decision that nobody hears of us."""


@dataclass
class Memory:
    """What the next run has to know about the deliveries before it."""

    told: dict[str, datetime] = field(default_factory=dict)
    """When people last heard that a channel fails; a channel that works is not in it."""
    taken: set[int] = field(default_factory=set)
    """Waiting rows whose message has reached people through another channel."""
    waits: dict[str, datetime] = field(default_factory=dict)
    """Until when a channel has asked us to wait."""
    conversations: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What each conversing channel remembers."""

    @classmethod
    def read(cls, document: Mapping[str, Any], now: datetime) -> Self:
        """Return what a document says; waits that are over, or lie too far ahead, are left out.

        The latter happens when the clock was set back.
        """
        waits = _times(document.get("waits", {}))
        return cls(
            told=_times(document.get("told", {})),
            taken=set(document.get("taken", ())),
            waits={name: at for name, at in waits.items() if now < at <= now + LONGEST_WAIT},
            conversations=dict(document.get("conversations", {})),
        )

    def document(self) -> dict[str, Any]:
        """Return the document to keep."""
        return {
            "told": {name: at.isoformat() for name, at in self.told.items()},
            "taken": sorted(self.taken),
            "waits": {name: at.isoformat() for name, at in self.waits.items()},
            "conversations": dict(self.conversations),
        }

    def ask_to_wait(self, name: str, seconds: float, now: datetime) -> None:
        """Remember that a channel does not want to be tried for so long."""
        self.waits[name] = now + min(timedelta(seconds=seconds), LONGEST_WAIT)

    def keep_only(self, names: Iterable[str]) -> None:
        """Forget the channels that are no longer configured."""
        known = set(names)
        for part in (self.told, self.waits, self.conversations):
            for name in part.keys() - known:
                del part[name]


def _times(document: Mapping[str, str]) -> dict[str, datetime]:
    return {name: datetime.fromisoformat(at) for name, at in document.items()}

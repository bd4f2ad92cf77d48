"""What a probe is given: its settings and the few things it may ask."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from pytest_yakei.databases import Database

S = TypeVar("S")


@dataclass(frozen=True, kw_only=True)
class Context(Generic[S]):
    """One configured thing (`[queues.NAME]`) and the world around it, for the check that asks."""

    name: str
    """The entry's name in the configuration."""
    settings: S
    """The entry's own keys; those common to all entries (owner, severity, …) are not among them."""
    database: Callable[[str], Database]
    """Opens, or returns the open, read-only connection to a configured database."""
    memory: MutableMapping[str, Any]
    """The check's JSON document from the last run; what is put in is kept when the check ends."""
    now: datetime
    """The time of the check, in UTC."""
    note: Callable[[str], None]
    """Writes a line for the run's log: worth knowing, and not worth telling anybody."""

"""Decides what a pid file, the process it names and the service's answer mean together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from pytest_yakei.probes.pidfiles.content import Content, Reading
from pytest_yakei.probes.pidfiles.identity import Mismatch
from pytest_yakei.probes.pidfiles.settings import Settings
from pytest_yakei.probes.processes import Process
from pytest_yakei.probes.services import Endpoint, Presence, Reply

REFUSE_ONLY_WHAT_THEY_MAY_SIGNAL = frozenset(
    {"postgres", "postmaster", "httpd", "apache2"},
)
"""Their start asks `kill(pid, 0) == 0`; another user's process does not stand in their way."""


class Named(Enum):
    """Whom a pid file names."""

    THE_SERVICE = auto()
    A_STRANGER = auto()
    THE_DEAD = auto()
    NO_FILE = auto()
    GARBAGE = auto()


class Verdict(Enum):
    """What is the matter, in the words of whoever is called."""

    RUNNING = "runs, and its pid file names it"
    HUNG = "does not answer"
    DOWN = "is down, and can be started"
    UNRECORDED = "runs without a valid pid file: stop and reload miss it"
    POISONED = "is down, and a start will refuse"
    MISDIRECTED = "runs, and stop and reload would signal a stranger"
    ILLEGIBLE = "has a pid file that says nothing: a start may refuse"


_VERDICTS = {
    (Named.THE_SERVICE, Presence.ANSWERS): Verdict.RUNNING,
    (Named.THE_SERVICE, Presence.SILENT): Verdict.HUNG,
    (Named.THE_SERVICE, Presence.ABSENT): Verdict.HUNG,
    (Named.A_STRANGER, Presence.ANSWERS): Verdict.MISDIRECTED,
    (Named.A_STRANGER, Presence.SILENT): Verdict.MISDIRECTED,
    (Named.A_STRANGER, Presence.ABSENT): Verdict.POISONED,
    (Named.THE_DEAD, Presence.ANSWERS): Verdict.UNRECORDED,
    (Named.THE_DEAD, Presence.SILENT): Verdict.HUNG,
    (Named.THE_DEAD, Presence.ABSENT): Verdict.DOWN,
    (Named.NO_FILE, Presence.ANSWERS): Verdict.UNRECORDED,
    (Named.NO_FILE, Presence.SILENT): Verdict.HUNG,
    (Named.NO_FILE, Presence.ABSENT): Verdict.DOWN,
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """All that was found out about one pid file.

    Attributes:
        reading: None if there is no file.
        content: None if it names no process.
        process: the process with the pid, also a zombie; None if there is none.
        mismatch: why that process is not the service.
        endpoint: where the service was asked; None if nothing says where.
        reply: what came back; without an endpoint it tells whether any instance was found.
        instances: the service's processes that the file does not name.
    """

    name: str
    settings: Settings
    booted: datetime
    reading: Reading | None = None
    content: Content | None = None
    process: Process | None = None
    mismatch: Mismatch | None = None
    endpoint: Endpoint | None = None
    reply: Reply
    instances: tuple[Process, ...] = ()

    @property
    def named(self) -> Named:
        """Whom the file names."""
        if self.reading is None:
            return Named.NO_FILE
        if self.content is None:
            return Named.GARBAGE
        if self.process is None or self.process.is_dead:
            return Named.THE_DEAD
        return Named.A_STRANGER if self.mismatch else Named.THE_SERVICE

    @property
    def verdict(self) -> Verdict:
        """What it all means."""
        named, presence = self.named, self.reply.presence
        if named is Named.GARBAGE:
            return Verdict.ILLEGIBLE
        if named is Named.THE_SERVICE and self.serves_nobody:
            return Verdict.HUNG
        verdict = _VERDICTS[named, presence]
        if verdict is Verdict.POISONED and not self.stands_in_the_way:
            return Verdict.DOWN
        return verdict

    @property
    def serves_nobody(self) -> bool:
        """Whether the service's own process cannot serve, whatever its port says."""
        is_stopped = self.process is not None and self.process.is_stopped
        return is_stopped or (self.content is not None and self.content.is_stand_alone)

    @property
    def stands_in_the_way(self) -> bool:
        """Whether a start, by the user who owns the file, would take the process for the service.

        PostgreSQL refuses for a process that its user may signal, and so does Apache; of other
        programs we assume that any live process makes them refuse.
        """
        if self.process is None or self.reading is None:
            return False
        if self.settings.program_name not in REFUSE_ONLY_WHAT_THEY_MAY_SIGNAL:
            return True
        return self.reading.owner == 0 or self.reading.owner in self.process.uids

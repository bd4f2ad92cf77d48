"""Decides of one file whether it is a good backup, a broken one, or one that is being written."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path

from pytest_yakei.probes.backups import activity
from pytest_yakei.probes.backups.formats import Format, has_end, mismatch, recognise
from pytest_yakei.probes.backups.listing import cannot_read, read_folder
from pytest_yakei.probes.backups.moments import CLOCKS_DIFFER, coarse, written
from pytest_yakei.probes.backups.series import DUMP_FOLDER, Backup, format_size

PEERS = 5
"""How many others are asked whether an archive of this member ends as pg_dump ends it."""


class State(Enum):
    """What a file is, as far as its listing and its first and last bytes tell."""

    GOOD = "good"
    WRITING = "being written"
    STUCK = "stuck"
    """Somebody has it open, or it is named `.part`, and it has not grown for too long."""
    CUT_SHORT = "cut short"
    """Its end is missing and nobody is seen to write it."""
    BROKEN = "broken"
    FUTURE = "in the future"
    UNREADABLE = "unreadable"


GOOD = State.GOOD, ""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A backup with its state; `why` is the sentence for people."""

    backup: Backup
    state: State
    why: str = ""

    @property
    def is_finished(self) -> bool:
        """Return whether its writer is done with it, for better or worse."""
        return self.state not in {State.WRITING, State.STUCK, State.FUTURE}


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Judges files by the settings of one folder at one time."""

    now: datetime
    zone: str
    writing: timedelta
    stuck_after: timedelta
    lock: Path | None

    def judge(self, backup: Backup, peers: Sequence[Backup] = ()) -> Judged:
        """Return the state of a backup; the cheap questions are asked first.

        Args:
            backup: the one to judge.
            peers: others of the same member and suffix: an archive lacks its end only if theirs
                have one.
        """
        if known := self._by_listing(backup):
            return known
        try:
            state, why = _content(backup, peers)
        except OSError as error:
            state, why = State.UNREADABLE, cannot_read(backup.path, error)
        if state in {State.BROKEN, State.CUT_SHORT} and (writer := self._writer(backup)):
            return self._unfinished(backup, writer)
        return Judged(backup=backup, state=state, why=why)

    def _by_listing(self, backup: Backup) -> Judged | None:
        """Return the state that name, size and time alone decide, or None."""
        idle = self.now - backup.modified
        if -idle > CLOCKS_DIFFER:
            when = written(backup.modified, self.zone)
            why = f"dated {coarse(-idle)} in the future ({when}): a clock is wrong"
            return Judged(backup=backup, state=State.FUTURE, why=why)
        if idle < self.writing:
            return Judged(backup=backup, state=State.WRITING, why="it was written to just now")
        if backup.is_partial:
            return self._unfinished(backup, "named as unfinished")
        if backup.size < 0:
            why = "a link that leads nowhere"
            return Judged(backup=backup, state=State.BROKEN, why=why)
        return None

    def _writer(self, backup: Backup) -> str:
        """Return who is writing the file, or ""."""
        if activity.is_locked(self.lock):
            return f"{self.lock} is held"
        pid = activity.writer_of(_files_of(backup))
        return f"process {pid} has it open" if pid else ""

    def _unfinished(self, backup: Backup, sign: str) -> Judged:
        """Return the state of a file that is not finished, by how long it has been quiet."""
        idle = self.now - backup.modified
        state = State.STUCK if idle >= self.stuck_after else State.WRITING
        limit = coarse(self.stuck_after)
        why = f"{format_size(backup.size)}, unchanged for {coarse(idle)} (limit {limit}), {sign}"
        return Judged(backup=backup, state=state, why=why)


def _content(backup: Backup, peers: Sequence[Backup]) -> tuple[State, str]:
    """Return what the first and last bytes say.

    Raises:
        OSError: the file cannot be read.
    """
    if backup.size == 0:
        return State.BROKEN, "0 bytes"
    found = recognise(backup.path, is_folder=backup.is_folder)
    if backup.is_folder:
        lacks = backup.suffix.endswith(DUMP_FOLDER) and found is not Format.FOLDER
        return (State.CUT_SHORT, "no toc.dat: pg_dump writes it last") if lacks else GOOD
    if wrong := mismatch(backup.suffix, found):
        return State.BROKEN, wrong
    if _lacks_end(backup, found, peers):
        return State.CUT_SHORT, f"{format_size(backup.size)}, its end is missing"
    return GOOD


def _files_of(backup: Backup) -> list[Path]:
    """Return the files that are written while the backup is."""
    if not backup.is_folder:
        return [backup.path]
    return [entry.path for entry in read_folder(backup.path).entries]


def _lacks_end(backup: Backup, found: Format, peers: Sequence[Backup]) -> bool:
    """Return whether the end is missing that signed SQL always has, and an archive as its peers.

    Raises:
        OSError: the file cannot be read.
    """
    if has_end(backup.path, found) is not False:
        return False
    return found is Format.SQL or any(_has_end(peer) for peer in peers[-PEERS:])


def _has_end(peer: Backup) -> bool:
    """Return whether another archive ends as it should; one that cannot be read does not count."""
    with suppress(OSError):
        return bool(has_end(peer.path, Format.CUSTOM))
    return False

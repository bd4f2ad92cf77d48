"""Judges locks by who holds them and for how long, and flag files by their age."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pytest_yakei.context import Context
from pytest_yakei.errors import CannotTell
from pytest_yakei.explaining import explaining
from pytest_yakei.probes.lockfiles.kernel import Holder, Holding, demand_folder, holding
from pytest_yakei.probes.lockfiles.settings import Settings
from pytest_yakei.probes.lockfiles.texts import flag_lines, lock_lines
from pytest_yakei.probes.processes import PROC, boot_id
from yakei_shared.durations import format_duration
from yakei_shared.limits import Limit

__all__ = ["LockFile", "Settings", "probe"]

_CLOCK_TOLERANCE = timedelta(minutes=5)
"""A file that is dated further in the future has no age: the clock was, or is, wrong."""


def probe(context: Context[Settings]) -> LockFile:
    """Return the lock or flag of one `[lockfiles.NAME]`; nothing is read before it is asked."""
    return LockFile(context)


class LockFile:
    """A lock file, or a flag file; which of them, the configuration says.

    A lock file is there for ever: only a held lock counts, however old the file is.
    """

    def __init__(self, context: Context[Settings], proc: Path = PROC) -> None:
        """Take what to watch, and where the kernel shows its processes."""
        self._context = context
        self._settings = context.settings
        self._proc = proc
        self._found = Holding()
        self._set_at: datetime | None = None

    @property
    def max_held(self) -> Limit[timedelta] | None:
        """How long the lock may be held; None for a flag."""
        return self._settings.max_held

    @property
    def max_age(self) -> Limit[timedelta] | None:
        """How old the flag may become; None for a lock."""
        return self._settings.max_age

    def held(self) -> timedelta:
        """Return how long the lock has been held at most; zero if nobody holds it, or for a flag.

        It counts from the start of the process that holds it, for a job's wrapper takes the lock
        first of all. What the last run saw makes that exact for a process that waited for the
        lock, or takes it now and then: it did not hold it yet when another one, or nobody, did.

        Raises:
            CannotTell: the lock, or its holder, may be out of our sight.
        """
        if self.max_held is None:
            return timedelta(0)
        now, last = self._context.now.timestamp(), dict(self._context.memory)
        self._found = holding(self._settings.path, self._proc)
        oldest = min(self._found.holders, key=_start_of, default=None)
        self._context.memory.clear()
        if oldest is None:
            self._context.memory.update(looked=now)
            return timedelta(0)
        holder = self._identity(oldest)
        since = float(last["since"]) if last.get("holder") == holder else self._since(oldest, last)
        self._context.memory.update(looked=now, holder=holder, since=since)
        return timedelta(seconds=max(0.0, now - since))

    def age(self) -> timedelta:
        """Return how old the flag is; zero if it is not set, its job still runs, or for a lock.

        Raises:
            CannotTell: the flag cannot be reached or is dated in the future.
        """
        self._set_at = self._found_set_at() if self.max_age else None
        if self._set_at is None:
            return timedelta(0)
        lock = self._settings.unless_locked
        if lock and holding(lock, self._proc).holders:
            self._context.note(f"{self._settings.path} is set, and {lock} is held by its job")
            return timedelta(0)
        age = self._context.now - self._set_at
        if age < -_CLOCK_TOLERANCE:
            when = f"{format_duration(-age)} in the future"
            raise CannotTell(f"{self._settings.path} is dated {when}: is the clock right?")
        return max(age, timedelta(0))

    def explained(self) -> AbstractContextManager[None]:
        """Add to a failed claim who holds the lock or what the flag means, and what to do."""
        return explaining(lambda: "\n".join(self._details()))

    def _details(self) -> Iterable[str]:
        path = self._settings.path
        if self._set_at:
            return flag_lines(path, self._settings.unless_locked, self._set_at)
        return lock_lines(path, self._found)

    def _identity(self, holder: Holder) -> str:
        """Return what stays the same as long as one process has the lock."""
        ticks = holder.process.stat.ticks if holder.process else "unseen"
        pid = holder.process.pid if holder.process else holder.lock.pid
        return f"{pid} {ticks} {boot_id(self._proc)}"

    def _since(self, holder: Holder, last: dict[str, Any]) -> float:
        """Return the earliest moment from which a holder that we did not see before can have it."""
        now = self._context.now.timestamp()
        started = holder.process.started.timestamp() if holder.process else None
        known = [moment for moment in (started, last.get("looked")) if moment is not None]
        return float(max(known, default=now))

    def _found_set_at(self) -> datetime | None:
        path = self._settings.path
        try:
            return datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except FileNotFoundError:
            demand_folder(path)
            return None
        except OSError as error:
            raise CannotTell(f"{path} cannot be looked at: {error.strerror}") from None


def _start_of(holder: Holder) -> float:
    """Return when a holder started; one that we cannot see counts as the youngest."""
    return holder.process.started.timestamp() if holder.process else float("inf")

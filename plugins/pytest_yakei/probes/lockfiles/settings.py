"""What `[lockfiles.NAME]` may say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from yakei_shared.limits import Limit


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A lock that processes hold, or a flag file whose mere existence means something.

    Attributes:
        path: the lock file, or the flag.
        max_held: makes it a lock: how long one process may hold it.
        max_age: makes it a flag: how old the file may become.
        unless_locked: a flag may be of any age while this lock is held, by the job that set it.
    """

    path: Path
    max_held: Limit[timedelta] | None = None
    max_age: Limit[timedelta] | None = None
    unless_locked: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what is neither or both."""
        if not self.max_held and not self.max_age:
            raise ValueError("max_held: missing; for a flag file without a lock, give max_age")
        if self.max_held and self.max_age:
            raise ValueError("max_age: a flag's, and max_held is a lock's; expected one of them")
        if self.unless_locked and not self.max_age:
            raise ValueError("unless_locked: goes with max_age, the limit of a flag file")
        limit = self.max_held or self.max_age
        if limit and min(limit.critical, limit.warning or limit.critical) <= timedelta(0):
            raise ValueError(f"{self._key}: expected more than nothing")

    @property
    def _key(self) -> str:
        return "max_held" if self.max_held else "max_age"

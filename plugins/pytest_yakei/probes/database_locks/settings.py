"""What `[database_locks.NAME]` may say about the sessions of one database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from yakei_shared.limits import Limit

_HALF_A_MINUTE = Limit(timedelta(seconds=30))
_MINUTE = Limit(timedelta(minutes=1))
_FIVE_MINUTES = Limit(timedelta(minutes=5))


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The limits of one database's locks and transactions; all have defaults but two."""

    database: str
    """A name of `[databases]`: PostgreSQL, MySQL or MariaDB."""
    max_wait: Limit[timedelta] | None = None
    """For a lock; usually 60 s, and 30 s on MySQL, where InnoDB itself ends a wait after 50 s."""
    advisory_locks: bool = True
    """Whether waiting for a lock of the application's own making counts: not where a standby
    process stands in line for one by design."""
    max_metadata_wait: Limit[timedelta] = _MINUTE
    """MySQL: for a table's definition, as `alter table` does, and then everybody behind it."""
    max_idle_in_transaction: Limit[timedelta] = _FIVE_MINUTES
    """Since the last statement of a transaction that is open and does nothing."""
    max_prepared: Limit[timedelta] = _HALF_A_MINUTE
    """For a two-phase transaction between `prepare` and `commit`."""
    max_global_read_lock: Limit[timedelta] = _HALF_A_MINUTE
    """MySQL: for `flush tables with read lock`, which stops every write; 4 s are healthy."""
    max_transaction: Limit[timedelta] | None = None
    """For any transaction, busy or not; backups and reports may well take hours."""
    max_locks: Limit[int] | None = None
    """Locks of all sessions: of the PostgreSQL server, or rows locked in InnoDB."""

    def __post_init__(self) -> None:
        """Refuse a limit that nothing can be below."""
        for key, value in vars(self).items():
            if not isinstance(value, Limit):
                continue
            if value.critical <= type(value.critical)():
                raise ValueError(f"{key}: expected more than zero, nothing can be below it")
            if value.warning is not None and value.warning >= value.critical:
                raise ValueError(f"{key}: the warning has to come before the critical limit")

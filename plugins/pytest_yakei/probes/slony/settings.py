"""What `[slony.NAME]` says: which cluster, in which database, and how late it may be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from yakei_shared.durations import format_duration
from yakei_shared.limits import Limit

USUAL_LAG = Limit(critical=timedelta(minutes=5), warning=timedelta(minutes=1))
SMALLEST_LAG = timedelta(seconds=20)
"""An idle cluster is up to so far behind all by itself: slon makes a SYNC every ten seconds."""
SHORTEST_SILENCE = timedelta(seconds=30)
"""An idle slon looks for work every ten seconds, a busy machine may double that."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One node of a cluster; the origin tells most, and every node can be watched.

    Attributes:
        database: the node's database, as `[databases]` calls it.
        cluster: the cluster's name as slonik has it, upper case and all; the schema adds a `_`.
        max_lag: how far a subscriber may be behind; the usual limits are check_postgres's.
        subscribers: numbers of the nodes that have to be subscribed; without them any one will do.
        max_silence: how long slon may do nothing at all before it is taken for frozen.
        log: slon's log on this host, if there is one to read.
        log_window: how far back the log is searched.
    """

    database: str
    cluster: str
    max_lag: Limit[timedelta] = USUAL_LAG
    subscribers: tuple[int, ...] = ()
    max_silence: timedelta = timedelta(minutes=1)
    log: Path | None = None
    log_window: timedelta = timedelta(minutes=15)

    def __post_init__(self) -> None:
        """Refuse limits that a healthy cluster breaks."""
        limits = (self.max_lag.critical, self.max_lag.warning)
        smallest = min(limit for limit in limits if limit is not None)
        if smallest < SMALLEST_LAG:
            raise ValueError(
                f"max_lag: expected at least {format_duration(SMALLEST_LAG)}, because an idle "
                f"cluster is as late as that; got {format_duration(smallest)}"
            )
        if self.max_silence < SHORTEST_SILENCE:
            shortest = format_duration(SHORTEST_SILENCE)
            got = format_duration(self.max_silence)
            raise ValueError(f"max_silence: expected at least {shortest}, got {got}")
        if self.log_window <= timedelta(0):
            raise ValueError("log_window: expected more than nothing")

"""How loud to be: thresholds, reminders, quiet hours, and the skips that are as intended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from typing import NamedTuple

from yakei.incidents.windows import Window, open_until
from yakei.patterns import matches
from yakei.results import KnownIssue, Severity
from yakei.routes import Routing

_RAREST = timedelta(hours=24)
"""However long something fails, it is told once a day."""
_DOUBLINGS = 20
"""More of them make no interval longer, only the numbers."""


class Maintenance(NamedTuple):
    """`[[maintenance]]`: hours in which what it names stays quiet, critical or not."""

    windows: tuple[Window, ...]
    reason: str
    pattern: str = "*"
    """Of checks' ids, labels and resources; `[` and `]` are literal."""
    zone: tzinfo | None = None


@dataclass(frozen=True, kw_only=True)
class Policy:
    """`[alerts]`, `[[routes]]`, `[[maintenance]]`, and what of `[run]` bears on telling."""

    failure_threshold: int = 1
    """Consecutive failing runs before an incident is told; a check may have its own."""
    failure_window: int | None = None
    """With it, so many of that many runs have to fail; without it, so many in a row."""
    recover_after: int = 1
    """Consecutive passing runs that close an incident that was told."""
    reminder_interval: timedelta = timedelta(hours=1)
    """Doubles up to 24 h; nothing means that every run tells, as cronlog did."""
    recovery: bool = False
    """Whether recoveries are told, where a notifier's own table does not say."""
    recoveries: Mapping[str, bool] = field(default_factory=dict)
    """By the names of notifiers whose tables do say."""
    quiet_hours: tuple[Window, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    routing: Routing = field(default_factory=Routing)
    owner: str | None = None
    """The suite's: who hears what is about the run itself."""
    interval: timedelta = timedelta(minutes=5)
    """How often cron calls us."""
    allow_skips: tuple[str, ...] = ()
    """Ids of checks, or patterns with `*`, whose skips are as intended."""
    zone: tzinfo | None = None
    """Where the people are; None is the zone of this host."""

    def quiet_until(self, severity: Severity, now: datetime) -> datetime | None:
        """Return the end of the quiet hours that hold something of this severity back now."""
        if severity is Severity.CRITICAL:
            return None
        return open_until(self.quiet_hours, now, self.zone)

    def wants_recovery(self, name: str) -> bool:
        """Return whether a notifier that is still configured hears of recoveries."""
        return self.routing.knows(name) and self.recoveries.get(name, self.recovery)

    def is_reminder_due(self, told: datetime, reminders: int, now: datetime) -> bool:
        """Return whether it is time for another reminder after so many."""
        doubled: timedelta = self.reminder_interval * 2 ** min(reminders, _DOUBLINGS)
        wait: timedelta = min(doubled, max(self.reminder_interval, _RAREST))
        return self.is_over(wait, told, now, slack=self.reminder_interval)

    def is_over(self, wait: timedelta, since: datetime, now: datetime, *, slack: timedelta) -> bool:
        """Return whether a time has passed.

        Runs do not come to the second, so a run that is early by up to half an interval is in
        time; otherwise an hourly reminder would come every 65 minutes.
        """
        return now - since >= wait - min(self.interval, slack) / 2

    def allows_skip(self, check: str) -> bool:
        """Return whether a check may be skipped without a word; `[` and `]` are literal."""
        return any(matches(pattern, (check,)) for pattern in self.allow_skips)

    def has_come(self, known_issue: KnownIssue, now: datetime) -> bool:
        """Return whether the last day of a known issue is over; a date that is none is, too."""
        if known_issue.until is None:
            return False
        try:
            last = date.fromisoformat(known_issue.until)
        except ValueError:
            return True
        return now.astimezone(self.zone).date() > last

"""How loud to be: thresholds, reminders, quiet hours, and the skips that are as intended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from fnmatch import fnmatchcase

from yakei.results import KnownIssue, Severity

_RAREST = timedelta(hours=24)
"""However long something fails, it is told once a day."""
_DOUBLINGS = 20
"""More of them make no interval longer, only the numbers."""


@dataclass(frozen=True)
class QuietHours:
    """A part of the day; it may reach over midnight."""

    start: time
    end: time

    def contain(self, local: time) -> bool:
        """Return whether a local time is quiet: the start is, the end is not."""
        if self.start <= self.end:  # equal ones are no hours at all
            return self.start <= local < self.end
        return local >= self.start or local < self.end


@dataclass(frozen=True, kw_only=True)
class Policy:
    """`[alerts]`, and what of `[run]` bears on telling."""

    failure_threshold: int = 1
    """Consecutive failing runs before an incident is told; a check may have its own."""
    reminder_interval: timedelta = timedelta(hours=1)
    """Doubles up to 24 h; nothing means that every run tells, as cronlog did."""
    recovery: bool = False
    quiet_hours: QuietHours | None = None
    interval: timedelta = timedelta(minutes=5)
    """How often cron calls us."""
    allow_skips: tuple[str, ...] = ()
    """Ids of checks, or patterns with `*`, whose skips are as intended."""
    zone: tzinfo | None = None
    """Where the people are; None is the zone of this host."""

    def holds_back(self, severity: Severity, now: datetime) -> bool:
        """Return whether something of this severity waits for the morning."""
        if severity is Severity.CRITICAL or not self.quiet_hours:
            return False
        return self.quiet_hours.contain(now.astimezone(self.zone).time())

    def is_reminder_due(self, told: datetime, reminders: int, now: datetime) -> bool:
        """Return whether it is time for another reminder after so many.

        Runs do not come to the second, so a run that is early by up to half an interval is in
        time; otherwise an hourly reminder would come every 65 minutes.
        """
        doubled: timedelta = self.reminder_interval * 2 ** min(reminders, _DOUBLINGS)
        wait: timedelta = min(doubled, max(self.reminder_interval, _RAREST))
        return now - told >= wait - min(self.interval, self.reminder_interval) / 2

    def allows_skip(self, check: str) -> bool:
        """Return whether a check may be skipped without a word; `[` and `]` are literal."""
        return any(fnmatchcase(check, each.replace("[", "[[]")) for each in self.allow_skips)

    def has_come(self, known_issue: KnownIssue, now: datetime) -> bool:
        """Return whether the last day of a known issue is over; a date that is none is, too."""
        if known_issue.until is None:
            return False
        try:
            last = date.fromisoformat(known_issue.until)
        except ValueError:
            return True
        return now.astimezone(self.zone).date() > last

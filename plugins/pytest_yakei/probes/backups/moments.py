"""Times as backups write them: local, without an offset, and twice an hour when clocks go back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from yakei_shared.durations import format_duration

CLOCKS_DIFFER = timedelta(minutes=5)
"""How far ahead a time may lie before it counts as "in the future"."""
CLOCK_CHANGE = timedelta(hours=1)
"""By how much a local time may be wrong on the two days a year that clocks are changed."""
LOCAL = "local"
"""The zone of this machine, for the settings called `zone`."""


def check_zone(zone: str) -> None:
    """Accept the name of a zone.

    Raises:
        ValueError: this machine does not know it.
    """
    try:
        _ = zone == LOCAL or ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f'zone: "{zone}" is not known here; expected "local", "UTC" or "Asia/Tokyo"'
        ) from None


def from_local(naive: datetime, zone: str) -> datetime:
    """Return the UTC time of a local time; of an hour that comes twice, the second.

    The second is the younger one: a backup is not called late because clocks were put back.
    """
    second = naive.replace(fold=1)
    aware = second.astimezone() if zone == LOCAL else second.replace(tzinfo=ZoneInfo(zone))
    return aware.astimezone(UTC)


def to_local(moment: datetime, zone: str) -> datetime:
    """Return the same moment in the zone."""
    return moment.astimezone(None if zone == LOCAL else ZoneInfo(zone))


def parse_moment(text: str, zone: str) -> datetime | None:
    """Return the moment a user has written, `2026-01-31` or `2026-01-31 04:00`; None for "".

    Raises:
        ValueError: it is no such text.
    """
    if not text:
        return None
    try:
        written = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f'expected a time such as "2026-01-31 04:00", got "{text}"') from None
    return written.astimezone(UTC) if written.tzinfo else from_local(written, zone)


def written(moment: datetime, zone: str) -> str:
    """Return a time as messages show it, with its offset: `2026-01-15 03:19 +0900`."""
    return f"{to_local(moment, zone):%Y-%m-%d %H:%M %z}"


def ago(moment: datetime, now: datetime) -> str:
    """Return how long ago a moment was: `14 h ago`."""
    return f"{coarse(now - moment)} ago"


def coarse(duration: timedelta) -> str:
    """Return a duration without what nobody reads: minutes from a day on, seconds from a minute."""
    unit = timedelta(hours=1) if duration >= timedelta(days=1) else timedelta(minutes=1)
    if duration < unit:
        return format_duration(duration)
    return format_duration(duration // unit * unit)

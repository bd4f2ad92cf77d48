"""Reads the times at the start of log lines: slon's own, syslog's, svlogd's and multilog's."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

_ISO = re.compile(
    r"\[?(\d{4}-\d\d-\d\d)([T _])(\d\d:\d\d:\d\d)(?:[.,]\d+)?"
    r"(?: ?(Z|[+-]\d\d(?::?\d\d)?|[A-Z][A-Za-z]{1,4})(?=[\s\]]|$))?"
)
"""slon writes `2012-06-10 11:02:33 JST FATAL  …` unless its log_timestamp_format says otherwise."""
_SYSLOG = re.compile(r"([A-Z][a-z]{2}) +(\d{1,2}) (\d\d):(\d\d):(\d\d) ")
_TAI64N = re.compile(r"@4([0-9a-f]{15})[0-9a-f]{8} ")
_TAI_AHEAD = 10
"""Seconds by which daemontools' TAI is ahead of UTC: it counts none of the later leap seconds."""

_LEVELS = frozenset(("INFO", "WARN", "ERROR", "FATAL"))
"""These follow a time without a zone."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_HOURS = {
    **dict.fromkeys(("UTC", "GMT", "Z", "WET"), 0),
    **dict.fromkeys(("CET", "WEST"), 1),
    **dict.fromkeys(("CEST", "EET"), 2),
    **dict.fromkeys(("EEST", "MSK"), 3),
    **dict.fromkeys(("JST", "KST"), 9),
    **dict.fromkeys(("EST", "CDT"), -5),
    **dict.fromkeys(("MST", "PDT"), -7),
    "AEST": 10,
    "AEDT": 11,
    "EDT": -4,
    "MDT": -6,
    "PST": -8,
}
"""Zones whose letters mean one thing; CST, IST or BST mean several."""
_QUARTER = timedelta(minutes=15)
"""Every zone's offset is a multiple of this."""
_OFFSETS = (timedelta(hours=-12), timedelta(hours=14))


class Stamps:
    """Turns the stamps of one log into UTC times."""

    def __init__(self, written: datetime, last_line: str = "") -> None:
        """Learn the meaning of a zone that is not known by its letters.

        Args:
            written: when the file was last written to.
            last_line: its last line with a stamp, which was written then.
        """
        self._written = written
        self._unknown_zone: tzinfo | None = None
        match = _ISO.match(last_line)
        if match:
            ahead = _naive(match).replace(tzinfo=UTC) - written
            offset = round(ahead / _QUARTER) * _QUARTER
            if _OFFSETS[0] <= offset <= _OFFSETS[1]:
                self._unknown_zone = timezone(offset)

    def of(self, line: str) -> datetime | None:
        """Return when a line was written, in UTC; None if it does not begin with a time."""
        if match := _ISO.match(line):
            return self._in_utc(match)
        if match := _SYSLOG.match(line):
            return self._of_syslog(match)
        if match := _TAI64N.match(line):
            return datetime.fromtimestamp(int(match[1], 16) - _TAI_AHEAD, UTC)
        return None

    def _in_utc(self, match: re.Match[str]) -> datetime:
        moment, letters = _naive(match), match[4]
        if match[2] == "_":  # svlogd -tt
            return moment.replace(tzinfo=UTC)
        if letters in _LEVELS or letters is None:
            return moment.astimezone(UTC)  # the host's own zone
        if letters[0] in "+-":
            return datetime.fromisoformat(f"{moment.isoformat()}{letters}").astimezone(UTC)
        if letters in _HOURS:
            return moment.replace(tzinfo=timezone(timedelta(hours=_HOURS[letters]))).astimezone(UTC)
        local = moment.astimezone()
        if letters == local.tzname():
            return local.astimezone(UTC)
        return moment.replace(tzinfo=self._unknown_zone or local.tzinfo).astimezone(UTC)

    def _of_syslog(self, match: re.Match[str]) -> datetime | None:
        """Return a time whose year is not written: the last one that is not after the file's."""
        if match[1] not in _MONTHS:
            return None
        month, (day, hour, minute, second) = (
            _MONTHS.index(match[1]) + 1,
            map(int, match.groups()[1:]),
        )
        written = self._written.astimezone()
        for year in (written.year, written.year - 1):
            try:
                moment = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - syslog's is local
            except ValueError:  # 29 February
                continue
            if moment.astimezone() <= written + _QUARTER:
                return moment.astimezone(UTC)
        return None


def _naive(match: re.Match[str]) -> datetime:
    return datetime.fromisoformat(f"{match[1]} {match[3]}")

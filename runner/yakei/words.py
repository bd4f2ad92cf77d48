"""Turns times, durations and texts of unknown origin into words that are safe to read at night."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo

from yakei.results import CheckResult, Outcome
from yakei_shared.durations import format_duration

SUBJECT_LENGTH = 78
"""Characters of a subject that mail programs show whole (RFC 5322, 2.1.1)."""
_TERMINAL_ESCAPE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # colours and cursor movements
    r"|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\|$)"  # window titles, links and device strings
    r"|[ -/]*[0-~]?)"
)
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, but for tab and newline
    "\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"  # they hide or turn around what is read
)
_MINUTES_UNTIL = timedelta(hours=2)
"""People say `90 min`, and `3 h` from here on."""
_SAID = {
    Outcome.ERROR: "cannot tell",
    Outcome.TIMEOUT: "timed out",
    Outcome.CRASHED: "crashed",
    Outcome.NOT_JUDGED: "not judged",
    Outcome.SKIPPED: "not judged",
}
"""How an outcome is said when the check's own words do not say it."""


def clean(text: str) -> str:
    """Return the text in lines of valid Unicode, without control characters and escapes."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    visible = _INVISIBLE.sub("", _TERMINAL_ESCAPE.sub("", lines))
    return visible.encode(errors="replace").decode()


def one_line(text: str) -> str:
    """Return the text cleaned, as one line."""
    separated = text.replace("\u2028", " ").replace("\u2029", " ").replace("\x85", " ")
    return " ".join(clean(separated).split())


def cut(text: str, length: int) -> str:
    """Return the text in at most `length` characters, cut behind a word where one ends late."""
    if len(text) <= length:
        return text
    if length <= 1:
        return "…"[:length]
    kept = text[: length - 1]
    words = kept.rpartition(" ")[0]
    return f"{(words if len(words) > length * 2 // 3 else kept).rstrip(' ,;:-')}…"


def cut_middle(text: str, size: int) -> str:
    """Return the text in at most so many bytes of UTF-8: its head and its tail."""
    data = text.encode()
    if len(data) <= size:
        return text
    mark = "\n… cut here; all is in the log …\n"
    part = (size - len(mark.encode())) // 2
    head, tail = data[:part].decode(errors="ignore"), data[-part:].decode(errors="ignore")
    return f"{head}{mark}{tail}"


def clock(at: datetime, now: datetime, zone: tzinfo | None) -> str:
    """Return a time as `03:05 +0900`, with its date when that is not today's.

    Args:
        at: the time to write.
        now: says which day is today.
        zone: the host's; None is the one this process runs in.
    """
    local, today = at.astimezone(zone), now.astimezone(zone)
    pattern = "%H:%M %z" if local.date() == today.date() else "%Y-%m-%d %H:%M %z"
    return local.strftime(pattern)


def short_clock(at: datetime, now: datetime, zone: tzinfo | None) -> str:
    """Return a time without its offset, for a line that names one already."""
    return clock(at, now, zone).rpartition(" ")[0]


def how_long(duration: timedelta) -> str:
    """Return a duration as people say it: in minutes up to two hours, then in two units."""
    if timedelta(minutes=1) <= duration < _MINUTES_UNTIL:
        return f"{duration // timedelta(minutes=1)} min"
    return format_duration(duration)


def counted(number: int, thing: str) -> str:
    """Return `1 check`, `4 checks`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def number(value: float | None) -> str:
    """Return a measured number without the digits that mean nothing."""
    if value is None:
        return "no value"
    return str(int(value)) if value == int(value) else f"{value:.6g}"


def said(result: CheckResult) -> str:
    """Return what a check found in one line; what was not found out is said as such."""
    fact = one_line(result.fact).removeprefix(f"{result.label}: ") if result.label else result.fact
    fact = one_line(fact)
    word = _SAID.get(result.outcome, "")
    if not fact:
        return word or str(result.outcome)
    return fact if word in fact.lower() else f"{word}: {fact}"

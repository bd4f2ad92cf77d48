"""Says what slon's log tells: one finding for each kind of trouble, however often it is written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pytest_yakei.findings import Findings
from pytest_yakei.probes.processes import printable
from pytest_yakei.probes.slony.logfile import Entry
from pytest_yakei.probes.slony.settings import Settings
from pytest_yakei.probes.slony.texts import numbered
from yakei_shared.durations import format_duration

_FOLLOWING = timedelta(seconds=2)
"""Right after a refusal slon adds FATAL lines of advice and the end of its threads."""
_QUOTED = 500
"""Characters of an entry that a message shows."""

_LOCK_STEPS = (
    "be sure that no second slon runs:   pgrep -af slon",
    "who has the pid in sl_nodelock?   the lock's check tells, and what to delete",
    "start slon; it exits 0 even when refused",
)
_DATA_STEPS = (
    "which key, and who wrote it on the subscriber?   the log line names the constraint",
    "remove or correct that row on the subscriber; slon tries again by itself",
)
_END_STEPS = (
    "was PostgreSQL restarted?   then this is how slon ends; its watchdog starts it again",
    "otherwise read the lines before it in the log",
)


def refusals(entries: Sequence[Entry], settings: Settings, now: datetime) -> Findings:
    """Return a finding for a refused lock, and one for duplicate keys in the data."""
    locks = [entry for entry in entries if entry.is_of_the_lock]
    others = [entry for entry in entries if entry.is_duplicate_key and not entry.is_of_the_lock]
    findings = []
    if locks:
        findings.append(_text("slon was refused its node lock", locks, _LOCK_STEPS, settings, now))
    if others:
        findings.append(_text("slon met a duplicate key", others, _DATA_STEPS, settings, now))
    return Findings(findings)


def fatal_ends(entries: Sequence[Entry], settings: Settings, now: datetime) -> Findings:
    """Return a finding for FATAL entries that do not come with a duplicate key."""
    keys = [entry.at for entry in entries if entry.is_duplicate_key and entry.at]
    ends = [
        entry
        for entry in entries
        if entry.at and not any(key <= entry.at <= key + _FOLLOWING for key in keys)
    ]
    return Findings([_text("slon gave up", ends, _END_STEPS, settings, now)] if ends else [])


def _text(
    fact: str, entries: Sequence[Entry], steps: Sequence[str], settings: Settings, now: datetime
) -> str:
    """Return the fact with the age of the newest entry, the entry itself, and what to do."""
    newest = max(entries, key=lambda entry: entry.at or now)
    ago = format_duration(max(timedelta(0), now - (newest.at or now)))
    times = f", {len(entries)} times in {format_duration(settings.log_window)}"
    shown = printable(newest.text)
    quoted = f"{shown[:_QUOTED]}…" if len(shown) > _QUOTED else shown
    return "\n".join(
        [
            f"{fact} {ago} ago{times if len(entries) > 1 else ''}",
            f"Log       {settings.log}",
            f"          {quoted}",
            "",
            *numbered(steps),
        ]
    )

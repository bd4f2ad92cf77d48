"""Finds what failed runs leave behind, and names that nobody has configured."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pytest_yakei.probes.backups.moments import CLOCK_CHANGE, ago, coarse, written
from pytest_yakei.probes.backups.rules import FileRules
from pytest_yakei.probes.backups.series import Backup
from pytest_yakei.probes.backups.states import Judged, State

NAME_AND_TIME = CLOCK_CHANGE + timedelta(hours=1)
"""How far the time in a name and that of the last write may lie apart: a dump takes a while."""


def stuck(judged: Judged, rules: FileRules, now: datetime) -> str:
    """Return that a file was begun and never finished, or ""."""
    idle, limit = now - judged.backup.modified, rules.stuck_after
    if judged.state is State.STUCK:
        seen = judged.why
    elif judged.state is State.CUT_SHORT and idle >= limit:
        seen = f"{judged.why}, unchanged for {coarse(idle)} (limit {coarse(limit)})"
    else:
        return ""
    path = judged.backup.path
    return f"stuck export: {judged.backup.name}\n  {seen}; did its run die?  fuser -v {path}"


def stranger(member: str, series: Sequence[Backup], rules: FileRules, now: datetime) -> str:
    """Return that a member is being backed up that nobody has configured, or "".

    One that was taken off the configuration keeps its old files until retention deletes them.
    """
    newest = series[-1]
    if now - newest.modified >= rules.max_age:
        return ""
    return (
        f"{member}: has backups and is not among the members\n"
        f"  {newest.name}, {ago(newest.modified, now)}; nobody would notice if they stopped: "
        f'add "{member}" to members, or to ignore'
    )


def misnamed(backup: Backup, rules: FileRules) -> str:
    """Return that the time in a name is not when the file was written, or "".

    A copy without its times looks fresh; a zone that is not `zone` shifts every name.
    """
    if backup.named is None:
        return ""
    apart = abs(backup.modified - backup.named)
    if apart <= NAME_AND_TIME:
        return ""
    return (
        f"{backup.name}: name and time are {coarse(apart)} apart (limit {coarse(NAME_AND_TIME)})\n"
        f"  named {written(backup.named, rules.zone)}, written "
        f"{written(backup.modified, rules.zone)}; a copy, or is zone wrong?"
    )

"""A folder of dumps, each named after its database and the time: `app_20260131030000.dump`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatch
from pathlib import Path

from pytest_yakei.context import Context
from pytest_yakei.probes.backups.files import FileBackups
from pytest_yakei.probes.backups.listing import Entry, read_folder
from pytest_yakei.probes.backups.moments import from_local
from pytest_yakei.probes.backups.rules import rules_of
from pytest_yakei.probes.backups.series import DUMP_FOLDER, Backup, Inventory, in_order

SIDE_FILES = (".md5", ".sha1", ".sha256", ".sha512", ".asc", ".sig", ".log", ".txt", ".json")
"""What stands beside a dump and is none."""
UNFINISHED = re.compile(r"\.(part|partial|tmp|temp|incomplete|inprogress|filepart)$")
"""How programs name what they are still writing."""
RSYNC = re.compile(r"^\.(?P<name>.+)\.[A-Za-z0-9]{6}$")
"""How rsync names what it is still writing: `.NAME.x9Y8z7`."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The keys of `[backups.NAME]` with `kind = "dumps"`."""

    path: Path
    """The folder."""
    members: tuple[str, ...]
    """The databases that must have a dump; take them from the application, not from the folder."""
    max_age: timedelta
    """The newest good dump of each member is younger than this: the longest gap and a little."""
    retention: timedelta | None = None
    """When the cleaner deletes a dump; without it, every dump that goes is a loss."""
    cleaning: timedelta = timedelta(days=1)
    """How often the cleaner runs."""
    interval: timedelta | None = None
    """The usual time between two dumps, if their number is to be judged as well."""
    pattern: str = r"(?P<member>.+)_(?P<time>\d{14})(?P<suffix>(?:\.\w+)*)"
    """A regular expression for the whole name, with the groups member, time and, optional, suffix:
    sizes are compared among the same suffix. A folder of that name is a `pg_dump -Fd`."""
    time_format: str = "%Y%m%d%H%M%S"
    """How to read the group `time`."""
    zone: str = "local"
    """The zone of the times in names: the writer's. A container often has UTC."""
    ignore: tuple[str, ...] = ()
    """Names, with `*` and `?`, of files and of members that nobody asks about."""
    writing: timedelta = timedelta(minutes=2)
    """A file that was written to within this time is not judged; the one before it is."""
    stuck_after: timedelta = timedelta(hours=2)
    """An unfinished file that has not grown for so long is a warning."""
    min_percent: float = 50
    """The newest has at least this share of the median of the five before it."""
    max_percent: float = 300
    """The newest has at most this share of it; beyond, there is a warning."""
    accepted_since: str = ""
    """`2026-01-31 04:00`: sizes from before are not compared with, and what went missing from
    before is not told any more. Without it a new size is the usual one after three backups."""
    lock: Path | None = None
    """The lock file that the export holds while it runs, if it has one."""
    verify_timeout: timedelta = timedelta(minutes=10)
    """How long reading one dump from end to end may take."""

    def __post_init__(self) -> None:
        """Check what no single value shows."""
        rules_of(self)
        try:
            groups = re.compile(self.pattern).groupindex
        except re.error as error:
            raise ValueError(f"pattern: no regular expression: {error}") from None
        if missing := {"member", "time"} - groups.keys():
            raise ValueError(f"pattern: lacks the group (?P<{min(missing)}>…)")


def probe(context: Context[Settings]) -> FileBackups:
    """Return the folder of dumps, which is not looked at before it is asked."""

    def look() -> Inventory:
        return _inventory(context.settings)

    return FileBackups(context, rules_of(context.settings), look, replaceable=False)


def _inventory(settings: Settings) -> Inventory:
    """Return the dumps in the folder.

    Raises:
        ResourceUnavailable: the folder cannot be read.
    """
    folder = read_folder(settings.path)
    dumps = in_order(dump for entry in folder.entries if (dump := _dump(entry, settings)))
    members: dict[str, list[Backup]] = {}
    strangers: dict[str, list[Backup]] = {}
    for dump in dumps:
        known = members if dump.member in settings.members else strangers
        known.setdefault(dump.member, []).append(dump)
    return Inventory(members=members, strangers=strangers, problem=folder.problem)


def _dump(entry: Entry, settings: Settings) -> Backup | None:
    """Return the dump that an entry is, or None if it is something else."""
    hidden = RSYNC.match(entry.name)
    name = hidden["name"] if hidden else UNFINISHED.sub("", entry.name)
    found = re.fullmatch(settings.pattern, name)
    if not found or name.endswith(SIDE_FILES):
        return None
    member = found["member"]
    if any(fnmatch(one, wanted) for one in (entry.name, member) for wanted in settings.ignore):
        return None
    size, modified = measured(entry)
    return Backup(
        member=member,
        path=entry.path,
        size=size,
        modified=modified,
        named=_time(found["time"], settings),
        suffix=(found.groupdict().get("suffix") or "") + DUMP_FOLDER * entry.is_folder,
        is_folder=entry.is_folder,
        is_partial=name != entry.name,
    )


def measured(entry: Entry) -> tuple[int, datetime]:
    """Return the size and the time of an entry; a folder has those of the files in it.

    Raises:
        ResourceUnavailable: the folder cannot be read.
    """
    if not entry.is_folder:
        return entry.size, entry.modified
    files = read_folder(entry.path).entries
    times = [file.modified for file in files if not file.is_broken_link]
    return sum(max(0, file.size) for file in files), max(times, default=entry.modified)


def _time(text: str, settings: Settings) -> datetime | None:
    """Return the time that a name carries; None if it is none, such as the 31st of June."""
    try:
        naive = datetime.strptime(text, settings.time_format)  # noqa: DTZ007 - the zone is `zone`
    except ValueError:
        return None
    return from_local(naive, settings.zone) if naive.tzinfo is None else naive.astimezone(UTC)

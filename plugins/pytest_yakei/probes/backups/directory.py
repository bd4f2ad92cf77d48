"""A folder of backups of any kind: for each member a file, a folder, or a pattern of names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatch
from pathlib import Path, PurePath

from pytest_yakei.context import Context
from pytest_yakei.probes.backups.dumps import UNFINISHED, measured
from pytest_yakei.probes.backups.files import FileBackups
from pytest_yakei.probes.backups.listing import Entry, Folder, read_folder
from pytest_yakei.probes.backups.rules import rules_of
from pytest_yakei.probes.backups.series import Backup, Inventory, in_order

WILDCARDS = re.compile(r"[*?\[]")
SUFFIX = re.compile(r"(?P<suffix>(?:\.[a-z]\w{0,5}){0,2})(?:[.~-]\d+)?$")
"""What a name ends with; the number that a rotation adds (`site.tar.gz.1`) is no part of it."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The keys of `[backups.NAME]` with `kind = "directory"`."""

    path: Path
    """The folder."""
    members: tuple[str, ...]
    """What must have a backup, by its name below `path`: `etc-*.tar.gz` (the newest of them is
    judged), `site.tar.gz` (written anew each time), `mail` or `mail/*` (the files in a folder).
    Wildcards are for the last part of a name only."""
    max_age: timedelta
    """The newest good file of each member is younger than this: the longest gap and a little."""
    retention: timedelta | None = None
    """When the cleaner deletes a file; without it, every file that goes is a loss."""
    cleaning: timedelta = timedelta(days=1)
    """How often the cleaner runs."""
    interval: timedelta | None = None
    """The usual time between two backups, if their number is to be judged as well."""
    zone: str = "local"
    """The zone of the times in messages, and of `accepted_since`."""
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
    """The lock file that the backup holds while it runs, if it has one."""
    verify_timeout: timedelta = timedelta(minutes=10)
    """How long reading one file from end to end may take."""

    def __post_init__(self) -> None:
        """Check what no single value shows."""
        rules_of(self)
        for member in self.members:
            parts = PurePath(member).parts
            if PurePath(member).is_absolute() or ".." in parts:
                raise ValueError(f'members: "{member}" must be a name below path')
            if any(WILDCARDS.search(part) for part in parts[:-1]):
                raise ValueError(f'members: "{member}" has a wildcard in a folder\'s name')


def probe(context: Context[Settings]) -> FileBackups:
    """Return the folder, which is not looked at before it is asked."""

    def look() -> Inventory:
        return _inventory(context.settings)

    return FileBackups(context, rules_of(context.settings), look, replaceable=True)


def _inventory(settings: Settings) -> Inventory:
    """Return the files of each member.

    Raises:
        ResourceUnavailable: a folder cannot be read.
    """
    folder = read_folder(settings.path)
    folders = {settings.path: folder}
    members = {name: in_order(_files(name, settings.path, folders)) for name in settings.members}
    found = {name: files for name, files in members.items() if files}
    return Inventory(members=found, problem=folder.problem)


def _files(member: str, root: Path, folders: dict[Path, Folder]) -> Iterator[Backup]:
    """Yield the files of one member; each folder is read once."""
    parent, name = (root / member).parent, PurePath(member).name
    entries = [
        entry
        for entry in _read(parent, folders).entries
        if fnmatch(UNFINISHED.sub("", entry.name), name)
    ]
    if len(entries) == 1 and entries[0].is_folder and not WILDCARDS.search(name):
        entries = list(_read(entries[0].path, folders).entries)
    for entry in entries:
        yield _backup(member, entry)


def _read(path: Path, folders: dict[Path, Folder]) -> Folder:
    """Return a folder, which is read when it is first asked for."""
    if path not in folders:
        folders[path] = read_folder(path)
    return folders[path]


def _backup(member: str, entry: Entry) -> Backup:
    """Return an entry as a backup of its member."""
    size, modified = measured(entry)
    whole = UNFINISHED.sub("", entry.name)
    return Backup(
        member=member,
        path=entry.path,
        size=size,
        modified=modified,
        suffix=_suffix(whole) if not entry.is_folder else "",
        is_folder=entry.is_folder,
        is_partial=whole != entry.name,
    )


def _suffix(name: str) -> str:
    """Return the one or two suffixes of a name: `.tar.gz`."""
    found = SUFFIX.search(name)
    return found["suffix"] if found else ""

"""Where one run keeps its raw output: a folder of its own, and only the last runs' are kept."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from yakei.execution.processes import read_process
from yakei.store import makeshift

_NAMES = 60
"""Runs that may start in one second, more than a person or cron can have started."""
_START = 60.0
"""Seconds; a run makes its folder as one of the first things."""
KEPT = 20
"""Runs whose raw output stays in the state folder: an hour and a half at five minutes."""


class RunFolder(NamedTuple):
    """A run's own folder, and the name of the run."""

    run_id: str
    path: Path
    complaint: str
    """Why it is not in the state folder; empty when it is."""


def new_run_id(now: datetime, pid: int | None = None) -> str:
    """Return a name for the run that starts now: its UTC time and its pid, or this process's."""
    return f"{now:%Y%m%d-%H%M%S}-{os.getpid() if pid is None else pid}"


@contextmanager
def for_us_alone() -> Iterator[None]:
    """Have files that are made in the block readable by this user only, also those of children."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def make_run_folder(state: Path, now: datetime, pid: int | None = None) -> RunFolder:
    """Return a folder for the run that starts now, and a name that no other run has here.

    In containers each run may have the same pid, and two may start within a second: then one of
    them is called as if it had started a second later.

    Raises:
        OSError: not even the system's temporary folder takes one.
    """
    runs = state / "runs"
    names = [new_run_id(now + timedelta(seconds=later), pid) for later in range(_NAMES)]
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = _made(runs, names)
        # A full disk makes folders and empty files, and takes no content.
        with for_us_alone():
            (folder / "started").write_text(f"{folder.name}\n", encoding="utf-8")
    except OSError as error:
        complaint = f"{runs} cannot be written: {error.strerror}"
        return _elsewhere(names, complaint)
    _prune(runs, folder.name)
    return RunFolder(folder.name, folder, "")


def _elsewhere(names: Sequence[str], complaint: str) -> RunFolder:
    """Return a folder where a night of such runs leaves no more than others do."""
    try:
        runs = makeshift.on_disk() / "runs"
        folder = _made(runs, names)
    except OSError:  # somebody else has made what is called as ours
        return RunFolder(names[0], Path(tempfile.mkdtemp(prefix="yakei-")), complaint)
    _prune(runs, folder.name)
    return RunFolder(folder.name, folder, complaint)


def _made(runs: Path, names: Sequence[str]) -> Path:
    runs.mkdir(mode=0o700, exist_ok=True)
    for folder in (runs / name for name in names):
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            (folder / "started").touch(mode=0o600)
            return folder
    raise FileExistsError(errno.EEXIST, "too many runs were started at once", str(runs))


def _prune(runs: Path, ours: str) -> None:
    """Remove the oldest folders, but for our own and those of runs that are under way."""
    for old in sorted(runs.iterdir())[:-KEPT]:
        if old.name != ours and not _is_under_way(old):
            shutil.rmtree(old, ignore_errors=True)


def _is_under_way(folder: Path) -> bool:
    """Return whether a run's process lives: one that has its pid, and was started when it began."""
    try:
        began = (folder / "started").stat().st_mtime
        process = read_process(int(folder.name.rpartition("-")[2]))
    except (OSError, ValueError):
        return False
    return process is not None and abs(time.time() - process.age - began) < _START

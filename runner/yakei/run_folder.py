"""Where one run keeps its raw output: a folder of its own, and only the last runs' are kept."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from yakei.execution.processes import read_process
from yakei.store import makeshift

_START = 60.0
"""Seconds; a run makes its folder as one of the first things."""
KEPT = 20
"""Runs whose raw output stays in the state folder: an hour and a half at five minutes."""


def new_run_id(now: datetime) -> str:
    """Return a name for the run that starts now: its UTC time and this process's pid."""
    return f"{now:%Y%m%d-%H%M%S}-{os.getpid()}"


@contextmanager
def for_us_alone() -> Iterator[None]:
    """Have files that are made in the block readable by this user only, also those of children."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def make_run_folder(state: Path, run_id: str) -> tuple[Path, str]:
    """Return a folder for the run, and why it is not in the state folder, if it is not.

    Raises:
        OSError: not even the system's temporary folder takes one.
    """
    runs = state / "runs"
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = _made(runs, run_id)
        # A full disk makes folders and empty files, and takes no content.
        with for_us_alone():
            (folder / "started").write_text(f"{run_id}\n", encoding="utf-8")
    except OSError as error:
        return _elsewhere(run_id), f"{runs} cannot be written: {error.strerror}"
    _prune(runs, run_id)
    return folder, ""


def _elsewhere(run_id: str) -> Path:
    """Return a folder where a night of such runs leaves no more than others do."""
    try:
        runs = makeshift.on_disk() / "runs"
        folder = _made(runs, run_id)
    except OSError:  # somebody else has made what is called as ours
        return Path(tempfile.mkdtemp(prefix="yakei-"))
    _prune(runs, run_id)
    return folder


def _made(runs: Path, run_id: str) -> Path:
    runs.mkdir(mode=0o700, exist_ok=True)
    folder = runs / run_id
    folder.mkdir(mode=0o700)
    (folder / "started").touch(mode=0o600)
    return folder


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

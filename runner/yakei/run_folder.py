"""Where one run keeps its raw output: a folder of its own, and only the last runs' are kept."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

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
        runs.mkdir(mode=0o700, exist_ok=True)
        folder = runs / run_id
        folder.mkdir(mode=0o700)
        # A full disk makes folders and empty files, and takes no content.
        with for_us_alone():
            (folder / "started").write_text(f"{run_id}\n", encoding="utf-8")
    except OSError as error:
        import tempfile  # a state folder that cannot be written is rare

        elsewhere = Path(tempfile.mkdtemp(prefix="yakei-"))
        return elsewhere, f"{runs} cannot be written: {error.strerror}"
    _prune(runs)
    return folder, ""


def _prune(runs: Path) -> None:
    for old in sorted(runs.iterdir())[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)

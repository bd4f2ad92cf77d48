"""A doctor's patients: a repository in which nothing is wrong, and programs found before others."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from repository import PASSING, READY_MADE, Ran, Repository

CRONTAB = "*/5 * * * * cd {} && exec .venv/bin/yakei run"
QUEUE = """
[databases]
main = "sqlite:///app.sqlite3"

[queues.jobs]
database = "main"
table = "jobs"
max_depth = 1000
"""
SECRET = "S3cr3tOfTheDatabase"


def well_equipped(folder: Path) -> Path:
    """Return a folder for PATH, with a sendmail, and a crontab that calls Yakei in `app` beside."""
    folder.mkdir()
    write_program(folder / "crontab", f"echo '{CRONTAB.format(folder.with_name('app'))}'")
    write_program(folder / "sendmail", "cat >/dev/null")
    return folder


def healthy(repository: Repository) -> Repository:
    """Return the repository with a check that passes."""
    repository.check("index", PASSING)
    return repository


def with_queue(repository: Repository) -> Repository:
    """Return the repository with the ready-made checks of queues, and a database with one."""
    shutil.copy(READY_MADE / "test_queues.py", repository.monitors)
    with closing(sqlite3.connect(repository.folder / "app.sqlite3")) as database:
        database.execute("create table jobs (id integer)")
    repository.configure(QUEUE)
    return repository


def require_root() -> None:
    """Fail the test unless it is root's."""
    if os.getuid():
        pytest.fail("this test needs root: sudo script/test", pytrace=False)


def write_program(path: Path, script: str) -> None:
    """Write a program of the shell."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def doctor(repository: Repository, programs: Path, *arguments: str, **environment: str) -> Ran:
    """Call `yakei doctor` where these programs are found first."""
    path = f"{programs}:/usr/bin:/bin"
    return repository.call("doctor", *arguments, environment={"PATH": path, **environment})


def failures(ran: Ran) -> list[str]:
    """Return what is not well, without the word for it."""
    lines = ran.stdout.splitlines()
    return [line.removeprefix("FAIL  ") for line in lines if line.startswith("FAIL")]

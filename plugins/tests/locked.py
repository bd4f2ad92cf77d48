"""A lock file, and jobs that hold it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bystanders import running
from servers.processes import wait_until

from pytest_yakei.probes.lockfiles.kernel import holding

LOCK_COMMAND = ["flock", "--nonblock", "--no-fork"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A lock file that nobody holds."""
    file = tmp_path / "backup.lock"
    file.touch()
    return file


@contextmanager
def held_by_a_job(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Have a process of its own hold the lock."""
    with running([*LOCK_COMMAND, path, "sleep", "600"]) as process:
        wait_until(lambda: holding(path).holders, "the lock")
        wait_until(lambda: b"sleep" in Path(f"/proc/{process.pid}/comm").read_bytes(), "exec")
        yield process

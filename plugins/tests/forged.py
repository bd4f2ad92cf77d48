"""Pid files forged for a test, and ports for the service that they should belong to."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from bystanders import context_of
from servers.ports import LOOPBACK

from pytest_yakei.probes.pidfiles import PidFile, Settings, probe

Forge = Callable[[object], Path]


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    """Writes a pid file and returns its path."""

    def write(content: object) -> Path:
        path = tmp_path / "httpd.pid"
        path.write_text(f"{content}\n" if isinstance(content, int) else str(content))
        return path

    return write


@pytest.fixture
def open_port() -> Iterator[int]:
    """A port that has a listener."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        yield listener.getsockname()[1]


def judged(path: Path, memory: dict[str, Any] | None = None, **settings: Any) -> PidFile:
    """Return the probe of a pid file that should be an httpd's, asked by a bare connection."""
    given = {"program": "httpd", "answer": "connect" if "port" in settings else None, **settings}
    return probe(context_of(Settings(path=path, **given), memory=memory))


def written_at(path: Path, moment: datetime) -> Path:
    """Date a file back."""
    os.utime(path, (moment.timestamp(), moment.timestamp()))
    return path

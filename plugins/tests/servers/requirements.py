"""What the servers need from the operating system: a missing program fails the test."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NoReturn

import pytest

POSTGRESQL = Path("/usr/lib/postgresql")
"""Where Debian keeps the server programs of each major version; they are not on PATH."""
SBIN = "/usr/local/sbin:/usr/sbin:/sbin"
"""Where servers live; the PATH of a plain user may lack it."""


def missing(what: str, package: str) -> NoReturn:
    """Fail the test with how to install what it lacks."""
    pytest.fail(
        f"{what} is not installed: sudo apt-get install {package}; "
        "script/test installs all that the tests need",
        pytrace=False,
    )


def program(name: str, *, what: str, package: str) -> str:
    """Return the path of a program, or fail the test with how to install it."""
    found = shutil.which(name) or shutil.which(name, path=SBIN)
    return found or missing(what, package)


def postgresql_programs(*, slony: bool = False) -> Path:
    """Return the folder of the newest PostgreSQL server, or of the newest that Slony-I can use."""
    needed = "lib/slony1_funcs*.so" if slony else "bin/postgres"
    versions = {file.parent.parent for file in POSTGRESQL.glob(f"*/{needed}")}
    if not versions and slony:
        missing("Slony-I", "postgresql-15-slony1-2 slony1-2-bin")
    if not versions:
        missing("PostgreSQL server", "postgresql")
    return max(versions, key=lambda version: float(version.name)) / "bin"

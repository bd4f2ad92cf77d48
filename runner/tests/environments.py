"""Virtual environments and copies of the source tree, as strangers have them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
LONGEST = 300
"""Seconds for pip, which may have to download."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment of its own."""

    folder: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin/python"

    @property
    def yakei(self) -> Path:
        """The program that installing Yakei puts there."""
        return self.folder / "bin/yakei"

    def install(self, *what: str | Path) -> None:
        """Install packages with pip, from wherever this machine's pip gets them."""
        pip = [self.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        ran = call([*pip, *what])
        assert ran.returncode == 0, ran.stdout


def new_environment(folder: Path) -> Environment:
    """Return an environment with pip and nothing else."""
    ran = call([sys.executable, "-m", "venv", folder])
    assert ran.returncode == 0, ran.stdout
    return Environment(folder)


def dependencies() -> list[str]:
    """Return what pip has to install beside Yakei."""
    project = tomllib.loads((SOURCE / "pyproject.toml").read_text())["project"]
    return list(project["dependencies"])


def clone(folder: Path) -> Path:
    """Copy the source tree into a new folder, without what .gitignore keeps out of a clone."""
    lines = (SOURCE / ".gitignore").read_text().split()
    ignored = {f"{SOURCE}{line}" if line[0] == "/" else line for line in [*lines, ".git/"]}

    def left_out(place: str, names: list[str]) -> list[str]:
        return [
            name
            for name in names
            if any(
                fnmatch(f"{place}/{name}/", each) or fnmatch(f"{name}/", each) for each in ignored
            )
        ]

    shutil.copytree(SOURCE, folder, ignore=left_out, symlinks=True, dirs_exist_ok=True)
    return folder


def call(
    command: Sequence[str | Path], *, folder: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command without this process's Python paths; both outputs are in `stdout`."""
    inherited = {key: value for key, value in os.environ.items() if key[:6] != "PYTHON"}
    return subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env={**inherited, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LONGEST,
        check=False,
    )

"""Finds what calls `yakei run` on this machine, for those who ask whether anything does."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from yakei_shared.configuration import FILE_NAME

_PATIENCE = 10
"""Seconds for `crontab -l`, which may ask a directory service who we are."""
_SBIN = "/usr/sbin:/usr/lib"
"""Where sendmail is; cron looks there, a user's PATH may not."""
_FILES = ("/etc/crontab", "/etc/cron.d/*", "/etc/systemd/system/*.service")
_CALL = re.compile(r"\byakei\b.* run\b|\byakei run\b")
_HOUR = 60
_FOUND = (FILE_NAME, "pyproject.toml")
"""What `yakei` finds by itself in its working directory."""


def calls_yakei() -> str:
    """Return where `yakei run` is called: a crontab or a unit; empty when none is found."""
    return next((place for place, text in _schedules() if _calls(text)), "")


def _calls(text: str) -> bool:
    return any(_CALL.search(line) for line in text.splitlines() if line.strip()[:1] != "#")


def _schedules() -> Iterator[tuple[str, str]]:
    """Yield each crontab and unit that we may read, with its text."""
    yield "crontab -l", _own_crontab()
    homes = Path.home().glob(".config/systemd/user/*.service")
    system = (path for pattern in _FILES for path in sorted(Path("/").glob(pattern[1:])))
    for path in (*system, *homes):
        try:
            yield str(path), path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # a folder, or not for us to read


def _own_crontab() -> str:
    if not shutil.which("crontab"):
        return ""
    try:
        listed = subprocess.run(
            ["crontab", "-l"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return listed.stdout.decode(errors="replace")


def crontab_line(configuration: Path, interval: timedelta) -> str:
    """Return the line that calls the installed `yakei` with this configuration."""
    minutes = max(round(interval / timedelta(minutes=1)), 1)
    when = f"*/{minutes} * * * *" if minutes < _HOUR else "0 * * * *"
    program = Path(sys.executable).with_name("yakei")
    call = [str(program)] if program.exists() else [sys.executable, "-m", "yakei"]
    named = [] if configuration.name in _FOUND else ["-c", configuration.name]
    command = shlex.join([*call, "run", *named])
    return f"{when} cd {shlex.quote(str(configuration.parent))} && exec {command}"


def sendmail() -> str:
    """Return the program by which cron mails what a job prints; empty when there is none."""
    return shutil.which("sendmail") or shutil.which("sendmail", path=_SBIN) or ""

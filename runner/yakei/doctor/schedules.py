"""Finds what calls `yakei run` on this machine, for those who ask whether anything does."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from yakei.doctor.calls import calls_in
from yakei_shared.configuration import FILE_NAME

_PATIENCE = 10
"""Seconds for `crontab -l`, which may ask a directory service who we are."""
_SBIN = "/usr/sbin:/usr/lib"
"""Where sendmail is; cron looks there, a user's PATH may not."""
_FILES = ("/etc/crontab", "/etc/cron.d/*", "/etc/systemd/system/*.service")
_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_WEEK = timedelta(days=7)
_FOUND = (FILE_NAME, "pyproject.toml")
"""What `yakei` finds by itself in its working directory."""


def calls_yakei(configuration: Path) -> str:
    """Return where `yakei run` is called for this configuration: a crontab or a unit, or ""."""

    def calls_ours(text: str) -> bool:
        return any(call.may_be_for(configuration) for call in calls_in(text))

    return next((place for place, text in _schedules() if calls_ours(text)), "")


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
    program = Path(sys.executable).with_name("yakei")
    call = [str(program)] if program.exists() else [sys.executable, "-m", "yakei"]
    named = [] if configuration.name in _FOUND else ["-c", configuration.name]
    command = shlex.join([*call, "run", *named])
    return f"{_when(interval)} cd {shlex.quote(str(configuration.parent))} && exec {command}"


def _when(interval: timedelta) -> str:
    """Return the fields of a crontab for an interval, or for the next shorter one it can say.

    A step begins anew with each hour and each day, so only one that divides them is regular.
    """
    if interval < _HOUR:
        minutes = _divisor(_HOUR // _MINUTE, interval // _MINUTE)
        return "* * * * *" if minutes == 1 else f"*/{minutes} * * * *"
    if interval < _DAY:
        hours = _divisor(_DAY // _HOUR, interval // _HOUR)
        return "0 * * * *" if hours == 1 else f"0 */{hours} * * *"
    return "0 0 * * *" if interval < _WEEK else "0 0 * * 0"


def _divisor(whole: int, most: int) -> int:
    """Return the largest divisor that is no larger than `most`, at least 1."""
    return max((each for each in range(1, most + 1) if whole % each == 0), default=1)


def sendmail() -> str:
    """Return the program by which cron mails what a job prints; empty when there is none."""
    return shutil.which("sendmail") or shutil.which("sendmail", path=_SBIN) or ""

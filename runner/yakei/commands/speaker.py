"""Who says something: the person, not the user that a command happens to run as."""

from __future__ import annotations

import os
import pwd

from yakei.words import one_line


def speaker(named: str | None) -> str:
    """Return the name that was given, or that of whoever is logged in.

    The login's name stays the person's own under `sudo` and `su`.
    """
    return one_line(named or "") or _login()


def _login() -> str:
    try:
        return os.getlogin()
    except OSError:  # no terminal: from cron, a container, or over ssh with a command
        said = (os.environ.get(name) for name in ("SUDO_USER", "LOGNAME", "USER"))
        return next(filter(None, said), "") or _user()


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"

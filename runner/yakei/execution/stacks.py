"""Asks a pytest that is stuck where it is, before it is ended."""

from __future__ import annotations

import re
import signal
import time
from pathlib import Path

from yakei.execution.family import Family

_BELOW_PYTEST = re.compile(r"^  File \"<frozen runpy>\".*\n(?:  File .*\n)*", re.MULTILINE)
_PATIENCE = 0.5
"""Seconds that a process gets to write its stack."""
_LOOK = 0.05
"""Seconds between two looks at what it has written."""


def ask_for_stacks(family: Family, file: Path) -> None:
    """Have the plugin's faulthandler write where the process is, even if it is stuck in C.

    The signal also wakes what waits in C: whoever asks has judged before.
    """
    before = file.stat().st_size if file.exists() else 0
    family.process.send_signal(signal.SIGUSR1)
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and family.poll() is None:
        family.wait(_LOOK)
        if file.exists() and file.stat().st_size > before:
            return


def stacks_in(file: Path) -> str:
    """Return what was written, without what has called pytest: in a copy, that is the runner."""
    return _BELOW_PYTEST.sub("", file.read_text(errors="replace")) if file.exists() else ""

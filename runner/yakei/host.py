"""The name of this host, as messages say it."""

from __future__ import annotations

import os

from yakei_shared.configuration import RunSettings


def host_name(run: RunSettings) -> str:
    """Return `[run] host`, or the machine's own name without its domain."""
    return run.host or os.uname().nodename.partition(".")[0]

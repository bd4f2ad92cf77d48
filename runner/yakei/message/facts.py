"""What a message says about the run and its host, besides what the checks found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from yakei.incidents.remembered import CompleteRun, Incident


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """Where and how long a run was, and what is known besides it."""

    host: str
    run_id: str
    duration: float = 0.0
    """Seconds."""
    log: str = ""
    """Where the full text is; empty when no log is kept."""
    last_complete: CompleteRun | None = None
    """The last complete run before this one."""
    still_failing: tuple[Incident, ...] = ()
    """Told earlier and not due again: they get one line each."""
    zone: tzinfo | None = None
    """Where the people are; None is the zone of this host."""
    config: str = ""
    """The configuration file, where it was named: then the commands in a message name it, too."""

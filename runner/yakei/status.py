"""Says what is failing now, as the last runs have left it."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from yakei.incidents.remembered import Incident, State
from yakei.results import Severity
from yakei.store import StateError, Store
from yakei.words import clock, how_long, one_line
from yakei_shared.configuration import load_configuration, locate_configuration
from yakei_shared.errors import ConfigurationError
from yakei_shared.history import STATE_FILE


def status(config: Path | None) -> str:
    """Return the text of `yakei status`.

    Raises:
        ConfigurationError: there is no configuration, or its state cannot be read.
    """
    configuration = load_configuration(locate_configuration(config))
    folder = configuration.run.state
    if not os.access(folder / STATE_FILE, os.F_OK):  # it is the first run that makes it
        return describe(State(), datetime.now(UTC))
    try:
        with Store.open(folder) as store:
            state = store.load()
            note = f"{store.note}\n" if store.note else ""
    except StateError as error:
        raise ConfigurationError(configuration.path, "run.state", str(error)) from None
    return configuration.redactor.redact(note + describe(state, datetime.now(UTC)))


def describe(state: State, now: datetime) -> str:
    """Return what is failing, worst and oldest first, and when the suite was judged last."""
    incidents = sorted(
        state.incidents.values(), key=lambda each: (each.severity != Severity.CRITICAL, each.since)
    )
    lines = [_line(each, now) for each in incidents]
    last = state.last_complete
    if last:
        ago = how_long(now - last.at)
        lines = lines or ["nothing is failing"]
        lines.append(f"last complete run {clock(last.at, now, None)}, {ago} ago: {last.summary}")
    else:
        lines.append("there has been no complete run yet")
    return "\n".join(lines) + "\n"


def _line(incident: Incident, now: datetime) -> str:
    mark = "CRIT" if incident.severity == Severity.CRITICAL else "WARN"
    muted = " (known issue)" if incident.muted else ""
    runs = "1 run" if incident.runs == 1 else f"{incident.runs} runs"
    since = f"since {clock(incident.since, now, None)}, {runs}"
    return f"[{mark}] {incident.label}: {one_line(incident.fact)}{muted}; {since}"

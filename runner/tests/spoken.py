"""What people say of the checks, for the tests of silences and acknowledgements."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from suites import BACKUP, NIGHT

from yakei.incidents.remembered import Acknowledgement, Silence
from yakei.store.speaking import add_acknowledgement, add_silence
from yakei.store.viewing import View

SILENCE = Silence(
    id="1",
    pattern="monitors/test_backups.py*",
    until=NIGHT + timedelta(hours=2),
    reason="moving srv01",
    by="ops",
    at=NIGHT,
)


def silence(folder: Path, pattern: str = SILENCE.pattern) -> str:
    """Say that these checks are to be quiet, and return the silence's id."""
    return add_silence(folder, replace(SILENCE, pattern=pattern))


def acknowledge(folder: Path, key: str = BACKUP) -> Acknowledgement:
    """Say that somebody knows of an open incident."""
    with View(folder) as view:
        incident = view.state(Path()).incidents[key]
    said = Acknowledgement(incident=incident.id, reason="on it", by="dba", at=NIGHT)
    add_acknowledgement(folder, said)
    return said

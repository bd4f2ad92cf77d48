"""Has the plugin try what the checks need, in a process of its own, for `yakei doctor`."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from yakei.doctor.finding import Finding, ill
from yakei.execution.family import Family
from yakei.execution.plan import pytest_environment
from yakei.execution.processes import Deadline
from yakei.results import Severity
from yakei.settings import RunnerSettings
from yakei_shared.durations import format_duration

_PATIENCE = timedelta(seconds=60)
"""For trying all resources, unless the deadline of a run is shorter; each has its own timeouts."""
_GRACE = 1.0
"""Seconds between TERM and KILL for what takes longer."""
_NOTHING_COLLECTED = 5  # pytest.ExitCode.NO_TESTS_COLLECTED
_SAID_LAST = 10
"""Lines of pytest's output that say why it stopped."""


@dataclass(frozen=True, kw_only=True)
class CollectedCheck:
    """What routes ask of a check."""

    id: str
    owner: str | None
    severity: Severity
    """The highest that it can have."""
    markers: tuple[str, ...]


@dataclass(kw_only=True)
class Trial:
    """What came of trying."""

    findings: list[Finding] = field(default_factory=list)
    checks: list[CollectedCheck] = field(default_factory=list)
    """All that could be collected."""

    def take(self, answer: dict[str, Any]) -> None:
        """Take in one line of the plugin: about a thing that was looked at, or a check."""
        if "check" not in answer:
            self.findings.append(Finding(**answer))
            return
        check = CollectedCheck(
            id=answer["check"],
            owner=answer["owner"],
            severity=Severity(answer["severity"]),
            markers=tuple(answer["markers"]),
        )
        self.checks.append(check)


def try_checks(settings: RunnerSettings) -> Trial:
    """Return what was found while the checks were collected and their databases tried."""
    trial = Trial()
    there = [path for path in settings.run.monitors if os.access(path, os.F_OK)]
    for path in settings.run.monitors:
        if path not in there:
            problem = f"{path} does not exist; name the folder of the checks, or call `yakei init`"
            missing = Finding(well=False, what="run.monitors", text=problem, mistake=True)
            trial.findings.append(missing)
    with tempfile.TemporaryDirectory() as folder:
        answers, output = Path(folder, "answers.jsonl"), Path(folder, "output.txt")
        answers.touch()
        code = _collect(settings, there or [Path(folder)], answers, output)
        for line in answers.read_text(encoding="utf-8").splitlines():
            trial.take(json.loads(line))
        said = output.read_text(encoding="utf-8", errors="replace").strip()
    trial.findings += _how_it_ended(settings, code, said)
    return trial


def _how_it_ended(settings: RunnerSettings, code: int | None, said: str) -> Iterator[Finding]:
    if code is None:
        patience = format_duration(min(_PATIENCE, settings.run.deadline))
        yield ill("checks", f"to collect them and to try what they need took over {patience}")
    elif code not in {0, _NOTHING_COLLECTED}:
        tail = "\n".join(said.splitlines()[-_SAID_LAST:])
        yield ill("checks", f"they cannot all be collected\n{tail}")


def _collect(
    settings: RunnerSettings, paths: list[Path], answers: Path, output: Path
) -> int | None:
    """Return the exit code of pytest, None if it took too long."""
    command = [
        *(sys.executable, "-m", "pytest", "--collect-only", "-q", "--color=no"),
        *("-o", "addopts=", "-p", "no:cacheprovider", "-p", "pytest_yakei.plugin"),
        f"--rootdir={settings.root}",
        f"--yakei-config={settings.configuration.path}",
        f"--yakei-examine={answers}",
        *map(str, paths),
    ]
    deadline = Deadline.after(min(_PATIENCE, settings.run.deadline))
    environment = pytest_environment(os.environ)
    with (
        output.open("wb") as said,
        Family(command, output=said, folder=settings.root, environment=environment) as family,
    ):
        while family.poll() is None and deadline.left():
            family.wait(min(deadline.left(), 1.0))
        code = family.poll()
        family.end(_GRACE)
    return code

"""Judges a pid file: whether it names the service that it should, and whether that one answers."""

from __future__ import annotations

from pathlib import Path

from pytest_yakei.context import Context
from pytest_yakei.errors import CannotTell
from pytest_yakei.findings import Findings
from pytest_yakei.probes import processes
from pytest_yakei.probes.mounts import place_of
from pytest_yakei.probes.pidfiles.inquiry import inquire
from pytest_yakei.probes.pidfiles.settings import Settings
from pytest_yakei.probes.pidfiles.texts import text_of
from pytest_yakei.probes.pidfiles.verdicts import Verdict

__all__ = ["PidFile", "Settings", "Verdict", "probe"]

_FINE_OR_FOR_THE_MORNING = frozenset({Verdict.RUNNING, Verdict.UNRECORDED})
_LEFT_BY_A_REBOOT = """\
pid file survives a reboot ({kind})
{path} lies on {point}, which a reboot does not clear: after a crash the pid in it will soon be
another process's, and the service will refuse to start.

Do        1. move it below /run, in the service's configuration and here
          2. or let the boot remove it, and take cleared_at_boot out of this entry"""


def probe(context: Context[Settings]) -> PidFile:
    """Return the pid file of one `[pidfiles.NAME]`; nothing is read before it is asked."""
    return PidFile(context)


class PidFile:
    """One pid file, the process it names, and the service that should be that process.

    That a process with the pid exists proves nothing, for pids are given anew. It must be the right
    program, the right instance of it, and not younger than the file.
    """

    def __init__(self, context: Context[Settings], proc: Path = processes.PROC) -> None:
        """Take what to watch, and where the kernel shows its processes."""
        self._context = context
        self._proc = proc

    def verdict(self) -> Verdict:
        """Return what is the matter with the service and its pid file.

        Raises:
            CannotTell: the file, the process or the service may not be looked at.
        """
        return inquire(self._context, self._proc).verdict

    def problems(self) -> Findings:
        """Return why the service does not serve, or why its next start or stop will go wrong."""
        case = inquire(self._context, self._proc)
        return Findings([] if case.verdict in _FINE_OR_FOR_THE_MORNING else [text_of(case)])

    def unrecorded(self) -> Findings:
        """Return that the service runs while no valid pid file says so."""
        case = inquire(self._context, self._proc)
        return Findings([text_of(case)] if case.verdict is Verdict.UNRECORDED else [])

    def left_by_a_reboot(self) -> Findings:
        """Return that a reboot would not clear the file, if the configuration says it should."""
        path = self._context.settings.path
        if not self._context.settings.cleared_at_boot:
            return Findings()
        try:
            mount = place_of(path if path.exists() else path.parent).mount
        except FileNotFoundError:
            raise CannotTell(f"the folder {path.parent} does not exist") from None
        if mount.is_in_memory:
            return Findings()
        text = _LEFT_BY_A_REBOOT.format(path=path, kind=mount.kind, point=mount.point)
        return Findings([text])

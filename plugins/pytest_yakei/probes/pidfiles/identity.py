"""Tells whether a live process is the service that a pid file should name, or only has its pid."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pytest_yakei.probes.pidfiles.content import Content, Reading
from pytest_yakei.probes.pidfiles.settings import Settings
from pytest_yakei.probes.processes import COMM_LENGTH, PROC, Process, at, everybody

_WRITTEN_AT_ONCE = timedelta(seconds=2)
"""A service starts before it writes its pid; process times are exact to a second only."""
_POSTMASTER_TOLERANCE = timedelta(seconds=5)
"""PostgreSQL writes down its own start time, read a moment after the kernel's."""


@dataclass(frozen=True)
class Mismatch:
    """Why a process is not the service: for the subject, and in a sentence."""

    subject: str
    reason: str


def mismatch(
    process: Process, settings: Settings, reading: Reading, content: Content
) -> Mismatch | None:
    """Return why the process is not the one that wrote the file, or None if it is.

    Args:
        process: the live process that has the pid.
        settings: how the service is known.
        reading: the file, which was written after its service started.
        content: what it says.
    """
    stranger = _wrong_kind(process, settings)
    if stranger:
        return Mismatch(f"{process.called}, not {_called(settings)}", stranger)
    stranger = _wrong_instance(process, settings, content) or _wrong_birth(
        process, reading, content
    )
    return Mismatch(f"another {_called(settings)}", stranger) if stranger else None


def instances(settings: Settings, proc: Path = PROC) -> list[Process]:
    """Return the processes that are the service by program and instance, without their children."""
    found = [process for process in everybody(proc) if not process.is_dead]
    same_program = {process.pid for process in found if not _wrong_kind(process, settings)}
    nothing_said = Content(pid=0)
    return [
        process
        for process in found
        if process.pid in same_program
        and process.stat.parent not in same_program
        and not _wrong_instance(process, settings, nothing_said)
    ]


def _called(settings: Settings) -> str:
    return settings.program_name or "the service"


def _wrong_kind(process: Process, settings: Settings) -> str:
    """Return why this is another program; a name may be known in its first 15 bytes only."""
    wanted = settings.program_name
    if wanted and not {wanted, wanted[:COMM_LENGTH]} & process.names:
        return f"its program is {process.called}, not {wanted}"
    if not wanted and not re.search(settings.command, " ".join(process.arguments)):
        return f"its command line does not match {settings.command}"
    return ""


def _wrong_instance(process: Process, settings: Settings, content: Content) -> str:
    if not re.search(settings.command, " ".join(process.arguments)):
        return f"its command line does not match {settings.command}"
    wanted = settings.working_directory
    if wanted is None:
        return ""
    if content.data_directory and content.data_directory.resolve() != wanted.resolve():
        return f"the file names the data directory {content.data_directory}, not {wanted}"
    actual = process.directory or _data_directory_option(process.arguments)
    if actual and actual.resolve() != wanted.resolve():
        return f"it works in {actual}, not in {wanted}"
    return ""


def _data_directory_option(arguments: tuple[str, ...]) -> Path | None:
    """Return what follows `-D`; a relative path says nothing to us."""
    for option, value in zip(arguments, (*arguments[1:], ""), strict=True):
        named = value if option == "-D" else option[2:] if option.startswith("-D") else ""
        if named.startswith("/"):
            return Path(named)
    return None


def _wrong_birth(process: Process, reading: Reading, content: Content) -> str:
    if content.started:
        if abs(process.started - content.started) <= _POSTMASTER_TOLERANCE:
            return ""
        return f"it started {at(process.started)}, and the file says {at(content.started)}"
    if process.started <= reading.written + _WRITTEN_AT_ONCE:
        return ""
    return f"it started {at(process.started)}, after the file was written {at(reading.written)}"

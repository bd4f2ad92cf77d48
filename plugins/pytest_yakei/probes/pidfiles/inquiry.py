"""Finds out all that the verdict on a pid file needs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_yakei.context import Context
from pytest_yakei.errors import CannotTell
from pytest_yakei.probes import processes, services
from pytest_yakei.probes.pidfiles.content import Content, Reading, parse, read
from pytest_yakei.probes.pidfiles.identity import Mismatch, instances, mismatch
from pytest_yakei.probes.pidfiles.settings import Settings
from pytest_yakei.probes.pidfiles.verdicts import Case, Named
from pytest_yakei.probes.processes import Process
from pytest_yakei.probes.services import Endpoint, Presence, Reply

_OWNER = "owner"
"""Under this key the check remembers the process that the file rightly named."""


def inquire(context: Context[Settings], proc: Path) -> Case:
    """Return what a pid file, the process it names and its service look like now.

    Raises:
        CannotTell: the file, the process or the service may not be looked at.
    """
    settings = context.settings
    reading = read(settings.path)
    content = parse(reading.text, is_postmaster=settings.is_postmaster_file) if reading else None
    process = processes.look(content.pid, proc) if content else None
    endpoint = settings.endpoint or _recorded_endpoint(settings, content)
    case = Case(
        name=context.name,
        settings=settings,
        booted=processes.boot_time(proc),
        reading=reading,
        content=content,
        process=process,
        mismatch=_mismatch(context, reading, content, process, proc),
        endpoint=endpoint,
        reply=services.ask(endpoint) if endpoint else Reply(Presence.ANSWERS, ""),
    )
    return case if case.named is Named.THE_SERVICE else _searched(case, proc)


def _recorded_endpoint(settings: Settings, content: Content | None) -> Endpoint | None:
    """Return where PostgreSQL says that it listens, if the file is this cluster's own."""
    directory = settings.working_directory
    if content is None or content.address is None or content.data_directory is None:
        return None
    if directory and content.data_directory.resolve() != directory.resolve():
        return None
    return settings.asked_at(content.address)


def _mismatch(
    context: Context[Settings],
    reading: Reading | None,
    content: Content | None,
    process: Process | None,
    proc: Path,
) -> Mismatch | None:
    """Return why the live process is not the service.

    A process that was found to be it once remains it, also when the clock has been set since: all
    start times then move against those of files.
    """
    if reading is None or content is None or process is None or process.is_dead:
        return None
    owner: list[Any] = [processes.boot_id(proc), process.pid, process.stat.ticks, reading.stamp]
    if context.memory.get(_OWNER) == owner:
        return None
    stranger = mismatch(process, context.settings, reading, content)
    if stranger is None:
        context.memory[_OWNER] = owner
    return stranger


def _searched(case: Case, proc: Path) -> Case:
    """Return the case with the instances of the service that its file does not name.

    Raises:
        CannotTell: the file's pid is counted in another pid namespace than ours.
    """
    pid = case.content.pid if case.content else None
    found = [process for process in instances(case.settings, proc) if process.pid != pid]
    for process in found:
        if len(process.inner_pids) > 1 and process.inner_pids[-1] == pid:
            raise CannotTell(
                f"{case.settings.path} says {pid}, the pid inside a container of what is pid "
                f"{process.pid} here; let a monitor inside the container judge it"
            )
    ours = tuple(process for process in found if len(process.inner_pids) == 1)
    if case.endpoint is None:
        reply = Reply(Presence.ANSWERS if ours else Presence.ABSENT, "")
        case = replace(case, reply=reply)
    elif case.named is Named.THE_DEAD and case.process is None and not ours:
        _demand_all_processes(case, proc)
    return replace(case, instances=ours)


def _demand_all_processes(case: Case, proc: Path) -> None:
    """Refuse to call a process dead that may live outside our container, if its service answers."""
    if case.reply.presence is Presence.ABSENT or processes.in_initial_namespace(proc):
        return
    raise CannotTell(
        f"{case.endpoint} {case.reply.words}, and {case.settings.path} names a pid that this "
        "container does not have; let the monitor run where the service does"
    )

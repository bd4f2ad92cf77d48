"""Says what is the matter with a pid file, and what to do about it at three in the morning."""

from __future__ import annotations

from pytest_yakei.probes.pidfiles.manners import Manners, manners_of
from pytest_yakei.probes.pidfiles.verdicts import Case, Named, Verdict
from pytest_yakei.probes.processes import COMM_LENGTH, Process, at, printable
from pytest_yakei.probes.services import Presence

_QUOTED = 20
"""Characters of an illegible file that are shown: it could be the wrong file altogether."""


def text_of(case: Case) -> str:
    """Return the finding: the fact for the subject, what was seen, and the steps to take."""
    manners = manners_of(case.settings, case.name)
    paragraph = _PARAGRAPHS[case.verdict]
    return "\n".join([_fact(case, manners), *_seen(case), *paragraph(case, manners)])


def _service(case: Case) -> str:
    return case.settings.program_name or case.name


def _fact(case: Case, manners: Manners) -> str:
    """Return the first line, which is short enough for a subject."""
    service, verdict = _service(case), case.verdict
    named = _whom(case)
    if verdict is Verdict.HUNG:
        return _hung_fact(case, service, named)
    facts = {
        Verdict.ILLEGIBLE: f"{named}; {_illegible_means(case, manners)}",
        Verdict.POISONED: f"{named}; start will refuse",
        Verdict.MISDIRECTED: f"{named}; {manners.signals} would signal {_stranger(case)}",
        Verdict.UNRECORDED: f"{service} runs, but {named}",
        Verdict.DOWN: f"{service} is down: {named}",
    }
    return facts[verdict]


def _illegible_means(case: Case, manners: Manners) -> str:
    if _somebody_is_there(case):
        return f"{manners.signals} cannot reach {_service(case)}"
    return f"start {'will' if manners.is_known else 'may'} refuse"


def _stranger(case: Case) -> str:
    return case.process.called if case.process else "a stranger"


def _hung_fact(case: Case, service: str, named: str) -> str:
    if case.named is not Named.THE_SERVICE:
        return f"{case.endpoint} does not answer, and {named}"
    who = f"{service} (pid {case.content.pid if case.content else 0})"
    if case.content and case.content.is_stand_alone:
        return f"{service} is down: single-user mode (pid {case.content.pid}) has it"
    if case.process and case.process.is_stopped:
        return f"{who} is stopped and serves nobody"
    return f"{who} does not answer at {case.endpoint}"


def _whom(case: Case) -> str:
    """Return whom the file names, in a few words."""
    if case.named is Named.NO_FILE:
        return "there is no pid file"
    if case.content is None:
        return _illegible(case)
    pid = case.content.pid
    if case.mismatch:
        return f"pid {pid} is {case.mismatch.subject}"
    return f"pid {pid} is {'a zombie' if case.process else 'dead'}"


def _illegible(case: Case) -> str:
    line = (case.reading.text if case.reading else "").splitlines()[:1]
    if not line or not line[0].strip():
        return "pid file is empty"
    shown = printable(line[0].strip())
    return f'pid file holds "{shown[:_QUOTED]}{"…" if len(shown) > _QUOTED else ""}", no pid'


def _seen(case: Case) -> list[str]:
    """Return the observations behind the fact."""
    lines = []
    if case.endpoint:
        lines.append(f"{_service(case)} at {case.endpoint} {case.reply.words}.")
    lines.append(_file_seen(case))
    if case.mismatch:
        lines.append(f"That is not the {_service(case)} of this file: {case.mismatch.reason}.")
    lines += [
        f"{_service(case)} itself is pid {process.pid}: {_identity(process)}"
        for process in case.instances
    ]
    return lines


def _identity(process: Process) -> str:
    known = f"user {process.user}, started {at(process.started)}, state {process.stat.state}"
    return f"{process.command_line} ({known})"


def _somebody_is_there(case: Case) -> bool:
    return case.reply.presence is not Presence.ABSENT


def _file_seen(case: Case) -> str:
    path, reading, process = case.settings.path, case.reading, case.process
    if reading is None:
        return f"{path} does not exist."
    earlier = ", before the last boot" if reading.written < case.booted else ""
    file = f"{path}, written {at(reading.written)}{earlier},"
    if case.content is None:
        return f"{file} names no process."
    if process is None:
        return f"{file} says {case.content.pid}: there is no such process."
    return f"{file} says {process.pid}:\n  {_identity(process)}"


def _poisoned(case: Case, manners: Manners) -> list[str]:
    steps = (
        *_nobody_runs(case),
        f"rm {case.settings.path} && {manners.start}",
        "next run is green",
    )
    return [manners.refusal, "", *_do_not(case, manners), *_do(*steps)]


def _misdirected(case: Case, manners: Manners) -> list[str]:
    return [manners.unrecorded, "", *_do_not(case, manners), *_do(*_recorded(case, manners))]


def _unrecorded(case: Case, manners: Manners) -> list[str]:
    return [manners.unrecorded, "", *_do(*_recorded(case, manners))]


def _illegible_file(case: Case, manners: Manners) -> list[str]:
    if _somebody_is_there(case):
        return _unrecorded(case, manners)
    steps = (
        *_nobody_runs(case),
        f"rm {case.settings.path} && {manners.start}",
        "next run is green",
    )
    return [manners.illegible, "", *_do(*steps)]


def _down(case: Case, manners: Manners) -> list[str]:
    seen = []
    if case.mismatch:
        user = case.process.user if case.process else ""
        seen.append(f"A start works all the same: it may not signal a process of user {user}.")
    elif case.process:
        seen.append(
            f"Until its parent, pid {case.process.stat.parent}, reaps the zombie, "
            "a start may take it for alive."
        )
    elif case.reading:
        seen.append("It ended without removing the file; the file does not hinder a start.")
    why = "why did it end? see its log and: dmesg -T | tail"
    return [*seen, "", *_do(why, *_nobody_runs(case), manners.start)]


def _hung(case: Case, manners: Manners) -> list[str]:
    process = case.process
    if process is None or case.named is not Named.THE_SERVICE:
        return ["", *_do(*_nobody_runs(case, expected="who it is"), "restart it")]
    if process.is_stopped:
        return ["", *_do(f"who stopped it, and why? then: kill -CONT {process.pid}")]
    if case.content and case.content.is_stand_alone:
        return [
            "",
            *_do(f"let the work in single-user mode (pid {process.pid}) end", manners.start),
        ]
    wait = f"what does it wait for?   ps -o pid,stat,wchan:20,etime,args -p {process.pid}"
    return ["", *_do(wait, "see its log", f"restart it; if it does not end: kill {process.pid}")]


def _nobody_runs(case: Case, expected: str = "expect nothing") -> list[str]:
    """Return the commands that prove that the service does not run."""
    service, folder = case.settings.program_name, case.settings.working_directory
    lines = [f"{case.endpoint.listeners_command:<32} {expected}"] if case.endpoint else []
    if service and (folder or not lines):
        which = f"{expected} of {folder}" if folder else expected
        lines.append(f"{f'pgrep -a {service[:COMM_LENGTH]}':<32} {which}")
    return lines


def _recorded(case: Case, manners: Manners) -> list[str]:
    """Return the steps that make the file name the running service."""
    who = _nobody_runs(case, expected="the one that runs")
    if not manners.repair:
        return [*who, f"stop that one by its pid, then: rm {case.settings.path} && {manners.start}"]
    pid = str(case.instances[0].pid) if len(case.instances) == 1 else "ITS_PID"
    return [*who, manners.repair.format(pid=pid)]


def _do_not(case: Case, manners: Manners) -> list[str]:
    return [f"Do NOT    run {manners.forbidden}: it would signal {_stranger(case)}."]


def _do(*steps: str) -> list[str]:
    """Return numbered steps below one heading."""
    head, *rest = (f"{number}. {step}" for number, step in enumerate(steps, start=1))
    return [f"Do        {head}", *(f"          {step}" for step in rest)]


_PARAGRAPHS = {
    Verdict.HUNG: _hung,
    Verdict.DOWN: _down,
    Verdict.UNRECORDED: _unrecorded,
    Verdict.POISONED: _poisoned,
    Verdict.MISDIRECTED: _misdirected,
    Verdict.ILLEGIBLE: _illegible_file,
}

"""`yakei exec`: silence, lock, deadline and notifications around any command."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from yakei.command import DEADLINE_PASSED, CommandResult, run_command
from yakei.delivery import direct
from yakei.execution.processes import Deadline
from yakei.exit_codes import ExitCode
from yakei.host import host_name
from yakei.lock import Busy, Held, Lock, LockError, OnBusy
from yakei.message import Message
from yakei.request import Result
from yakei.results import Severity
from yakei.run_folder import new_run_id
from yakei.runlog import RunLog, Stamp
from yakei.settings import RunnerSettings, read_settings, usable_settings
from yakei.words import SUBJECT_LENGTH, cut, how_long, one_line
from yakei_shared.configuration import FILE_NAME, find_configuration, load_configuration
from yakei_shared.errors import ConfigurationError
from yakei_shared.signals import signal_name

_FACT = 48
"""Characters of it that say what is wrong; the command has the others."""
_BODY = 60_000
"""Characters of a body: some relays refuse more. The full text is in the log."""
_NOT_RUN = "The command was not run."
_SIGNAL = re.compile(r"command died with signal:(\d+)$")
"""cronlog's last line, behind a time stamp or not."""


@dataclass(frozen=True, kw_only=True)
class ExecRequest:
    """The options of `yakei exec`."""

    command: Sequence[str]
    config: Path | None = None
    lock: Path | None = None
    on_busy: OnBusy = "alert"
    deadline: timedelta | None = None
    log: Path | None = None
    stamp: Stamp = Stamp.NONE


def run_wrapped(request: ExecRequest) -> Result:
    """Run a command; be silent when it succeeds, and tell its whole output when it does not.

    Without a configuration file the output goes to stdout, for cron to mail.

    Raises:
        Terminated: under `terminating()`, when this process was told to end; the command is gone.
    """
    settings, complaint = _settings(request.config)
    host = host_name(settings.run)
    redact = settings.configuration.redactor.redact
    deadline = Deadline.after(request.deadline) if request.deadline else None

    def told(code: int, fact: str, body: str) -> Result:
        message = _message(host, redact(" ".join(request.command)), redact(fact), redact(body))
        return _told(settings, message, code)

    with ExitStack() as stack:
        log = stack.enter_context(RunLog(request.log, stamp=request.stamp, redact=redact))
        try:
            lock = Lock(request.lock).acquire(request.on_busy, deadline) if request.lock else None
        except LockError as error:
            return told(ExitCode.BUSY, str(error), f"{error}\n{_NOT_RUN}")
        if isinstance(lock, Busy):
            if request.on_busy == "skip":
                return Result(exit_code=ExitCode.WELL)
            fact = lock.text.partition("\n")[0]
            return told(ExitCode.BUSY, fact, f"{lock.text}\n{_NOT_RUN}")
        if isinstance(lock, Held):
            stack.enter_context(lock)
        ended = run_command(request.command, log=log, host=host, deadline=deadline)
    troubles = [*(problem.text for problem in ended.problems), *([complaint] if complaint else [])]
    if not ended.exit_code and not troubles:
        return Result(exit_code=ExitCode.WELL)
    place = f"Log       {request.log}" if request.log and not log.problem else ""
    body = "\n\n".join(filter(None, [*troubles, ended.output.rstrip("\n"), place]))
    return told(ended.exit_code, _fact(ended, troubles), body)


def _fact(ended: CommandResult, troubles: Sequence[str]) -> str:
    """Return in a few words what is wrong: the command, or else what was around it."""
    if ended.exit_code == DEADLINE_PASSED or not ended.exit_code:
        for trouble in troubles:
            return trouble.partition("\n")[0]
    lasted = how_long(timedelta(seconds=ended.duration))
    last = ended.output.rstrip("\n").rpartition("\n")[2]
    if signal := _SIGNAL.search(last):
        return f"died by {signal_name(int(signal[1]))} after {lasted}"
    return f"exited with code {ended.exit_code} after {lasted}"


def _settings(config: Path | None) -> tuple[RunnerSettings, str]:
    """Return the settings and what is wrong with them; the command runs in any case."""
    path = config or find_configuration(Path.cwd())
    if path is None:
        return usable_settings(Path.cwd() / FILE_NAME), ""
    try:
        return read_settings(load_configuration(path)), ""
    except ConfigurationError as error:
        return usable_settings(path), str(error)


def _message(host: str, command: str, fact: str, body: str) -> Message:
    now = datetime.now(UTC)
    fact = cut(one_line(fact), _FACT)
    room = SUBJECT_LENGTH - len(f"[CRIT] {host} : {fact}")
    subject = f"[CRIT] {host} {cut(one_line(command), max(room, 1))}: {fact}"
    half = _BODY // 2
    short = body if len(body) <= _BODY else f"{body[:half]}\n…\n{body[-half:]}"
    return Message(
        subject=cut(subject, SUBJECT_LENGTH),
        body=f"{short}\n",
        severity=Severity.CRITICAL,
        created=now,
        run_id=new_run_id(now),
        host=host,
    )


def _told(settings: RunnerSettings, message: Message, code: int) -> Result:
    """Send a message; what no channel took goes to stdout."""
    report = direct(settings.notifiers, message, settings.configuration.redactor.redact)
    return Result(exit_code=code, text=report.last_resort() if report.undelivered else "")

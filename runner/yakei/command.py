"""Runs any command as cronlog does, with a deadline and without waiting for its orphans."""

from __future__ import annotations

import codecs
import errno
import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO

from yakei.execution.family import Family
from yakei.execution.processes import Deadline, Process, command_line
from yakei.results import Problem, ProblemKind
from yakei.runlog import Excerpt, RunLog
from yakei_shared.durations import format_duration

NOT_STARTABLE = 127  # as every shell says it
DEADLINE_PASSED = 124  # as timeout(1) says it
DIED = 128
"""128 + N is how a shell says that signal N ended a command."""

_SHELL_CHARACTERS = re.compile(r"[$&*(){}\[\]'\";\\|?<>~`\n]|^\w+=")
"""What makes Perl, and so cronlog, give a command of one argument to /bin/sh (perldoc -f exec)."""
_BLOCK = 64 * 1024
"""Bytes that are read at a time: what a pipe holds."""
_LONGEST_LINE = 1 << 20
"""Characters after which a line that does not end is written in pieces."""
_ORPHAN_PATIENCE = 3.0
"""Seconds that whoever still holds the output after the command's end may go on writing."""
_SETTLE = 0.5
"""Seconds for what ends with the command by itself, as the other end of its pipes does."""
_ORPHAN_GRACE = 2.0
"""Seconds between TERM and KILL for such an orphan."""
_LONGEST_GRACE = 5.0
"""Seconds between TERM and KILL at the deadline, for cleaning up; less for a short deadline."""
_POLL = 0.2
"""Seconds between two looks at the command where the kernel cannot tell its end."""


@dataclass(frozen=True, kw_only=True)
class CommandResult:
    """How a command ended."""

    exit_code: int
    """Its own, or 124 (deadline), 127 (not startable), 128+N (signal N)."""
    output: str
    """From `HOST starting:` to `command exited with code:N`; the middle of a long one left out."""
    problems: tuple[Problem, ...] = ()
    """Beyond the exit code: the deadline, orphans that were ended, the log."""
    duration: float = 0.0
    """Seconds."""


def run_command(
    command: Sequence[str], *, log: RunLog, host: str, deadline: Deadline | None = None
) -> CommandResult:
    """Run a command to its end, its deadline, or the end of our patience with its orphans.

    Its stdin is ours. stdout and stderr are one pipe, so their lines stay in order. A daemon that
    took a session of its own and let go of the output is left alone.

    Raises:
        Terminated: under `terminating()`, when this process was told to end; the command is gone.
    """
    begun = time.monotonic()
    running = _Running(log, deadline)
    running.keep(log.begin(host, command))
    try:
        code = running.run(_as_cronlog_would(command))
    except OSError as error:
        reason = f"failed to execute command: {command[0]}: {error.strerror}\n"
        running.keep(log.write(reason))
        code = NOT_STARTABLE
    running.keep(log.end(code))
    late = any(problem.kind is ProblemKind.DEADLINE for problem in running.problems)
    return CommandResult(
        exit_code=DEADLINE_PASSED if late else DIED - code if code < 0 else code,
        output=str(running.output),
        problems=(*running.problems, *([log.problem] if log.problem else [])),
        duration=time.monotonic() - begun,
    )


class _Running:
    """The command while it runs: its lines go to the log, an excerpt of them stays."""

    def __init__(self, log: RunLog, deadline: Deadline | None) -> None:
        self.output = Excerpt()
        self.problems: list[Problem] = []
        self._log, self._deadline = log, deadline
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._line = ""

    def keep(self, text: str) -> None:
        """Remember what was written to the log."""
        self.output.add(text)

    def run(self, command: Sequence[str]) -> int:
        """Return the exit code, negative for a signal.

        Raises:
            OSError: the command cannot be started.
        """
        try:
            return self._run(command)
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise
        # A script without `#!` is run by /bin/sh, as execvp(3) does.
        script = shutil.which(command[0]) or command[0]
        return self._run(["/bin/sh", script, *command[1:]])

    def _run(self, command: Sequence[str]) -> int:
        with (
            _pipe() as (ours, theirs),
            Family(command, output=theirs, with_our_stdin=True) as family,
        ):
            theirs.close()
            self._follow(family, ours)
            if family.poll() is None:
                self._end_at_deadline(family)
            self._end_orphans(family, ours)
            # What is left in the pipe now; whoever could still hold it open is not waited for.
            while self._read(ours):
                pass
            self._write_line_end()
            return family.final_code

    def _follow(self, family: Family, pipe: int) -> None:
        """Read until both the command and its output have ended, or it takes too long."""
        patience: float | None = None
        is_open = True
        # A command may close its output and work on, or end and leave it open to others.
        while is_open or family.poll() is None:
            now = time.monotonic()
            if family.poll() is not None:
                # cronlog would wait here for as long as a forgotten daemon lives.
                patience = patience or now + _ORPHAN_PATIENCE
                if now >= patience:
                    return
            if self._deadline and not self._deadline.left():
                return
            left = self._deadline.left() if self._deadline else _POLL
            if family.wait(min(left, _POLL), *([pipe] if is_open else [])):
                is_open = self._read(pipe)

    def _read(self, pipe: int) -> bool:
        """Write what the pipe holds now; return False when nobody can write to it any more."""
        try:
            block = os.read(pipe, _BLOCK)
        except BlockingIOError:
            return False
        lines, newline, self._line = (self._line + self._decode(block)).rpartition("\n")
        if len(self._line) > _LONGEST_LINE:
            lines, newline, self._line = lines + newline + self._line, "\n", ""
        if newline:
            self.keep(self._log.write(lines + newline))
        return bool(block)

    def _write_line_end(self) -> None:
        if rest := self._line + self._decode(b"", final=True):
            self.keep(self._log.write(rest + "\n"))

    def _end_at_deadline(self, family: Family) -> None:
        length = self._deadline.length if self._deadline else timedelta()
        # Three tenths: with a deadline of 5 s all is over within 7 s.
        family.end(min(_LONGEST_GRACE, 0.3 * length.total_seconds()))
        text = f"the deadline of {format_duration(length)} ended the command"
        self.problems.append(Problem(kind=ProblemKind.DEADLINE, text=text))

    def _end_orphans(self, family: Family, pipe: int) -> None:
        """End what the command left in its session or at its output, and say so."""
        held = os.fstat(pipe).st_ino

        def is_orphan(process: Process) -> bool:
            return process.session == family.process.pid or _holds_pipe(process.pid, held)

        family.await_end(_SETTLE, only=is_orphan)
        orphans = list(filter(is_orphan, family.members()))
        if not orphans:
            return
        names = [f"pid {each.pid}: {command_line(each.pid)}" for each in orphans]
        family.end(_ORPHAN_GRACE, only=is_orphan)
        count = "1 process" if len(names) == 1 else f"{len(names)} processes"
        text = "\n".join([f"the command left {count} running, now ended", *names])
        self.problems.append(Problem(kind=ProblemKind.SURVIVORS, text=text))


def _as_cronlog_would(command: Sequence[str]) -> list[str]:
    """Give a single argument to the shell if it needs one, else split it into words."""
    if len(command) != 1:
        return list(command)
    if _SHELL_CHARACTERS.search(command[0]):
        return ["/bin/sh", "-c", command[0]]
    return command[0].split() or [""]


@contextmanager
def _pipe() -> Iterator[tuple[int, IO[bytes]]]:
    ours, theirs = os.pipe()
    os.set_blocking(ours, False)
    with os.fdopen(ours, "rb", buffering=0), os.fdopen(theirs, "wb", buffering=0) as output:
        yield ours, output


def _holds_pipe(pid: int, inode: int) -> bool:
    try:
        return any(
            link.readlink() == Path(f"pipe:[{inode}]") for link in Path(f"/proc/{pid}/fd").iterdir()
        )
    except OSError:  # it has ended, or is somebody else's
        return False

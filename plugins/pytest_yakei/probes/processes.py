"""Reads /proc: who a process is, since when it runs, and what of it we may not see."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pytest_yakei.errors import CannotTell

PROC = Path("/proc")
LARGEST_PID = 4_194_304
"""PID_MAX_LIMIT of 64-bit Linux: no process has ever a larger number."""

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_INITIAL_PID_NAMESPACE = "pid:[4026531836]"
"""PROC_PID_INIT_INO, the fixed number of the namespace that the machine booted with."""
_SHOWN_COMMAND = 100
"""Characters of a command line that fit a line of a message."""
COMM_LENGTH = 15
"""The kernel cuts a process's name after so many bytes."""


@dataclass(frozen=True, kw_only=True)
class Stat:
    """The fields of /proc/PID/stat that tell who, in which state and since when."""

    pid: int
    name: str
    state: str
    parent: int
    threads: int
    ticks: int
    """The start, in clock ticks after the boot: with the boot's id it is a process's identity."""


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process as /proc shows it to this user."""

    stat: Stat
    started: datetime
    uids: frozenset[int]
    """Real and saved user ids: who is one of them, or root, may signal the process."""
    user_id: int
    inner_pids: tuple[int, ...]
    """Its pids in this and the nested pid namespaces; one number when it is in ours."""
    arguments: tuple[str, ...]
    executable: str | None
    """Name of the program's file; None where that may not be read, and for kernel threads."""
    directory: Path | None
    """Working directory; None where that may not be read."""

    @property
    def pid(self) -> int:
        """The number that the pid file would hold."""
        return self.stat.pid

    @property
    def is_dead(self) -> bool:
        """Whether it is a zombie; a leader that ended before its threads also shows as `Z`."""
        return self.stat.state in "ZXx" and self.stat.threads <= 1

    @property
    def is_stopped(self) -> bool:
        """Whether a SIGSTOP holds it: it accepts connections by its backlog and serves nobody."""
        return self.stat.state == "T"

    @property
    def names(self) -> frozenset[str]:
        """All names it goes by: its file's, the kernel's, and what it was called with."""
        called = Path(self.arguments[0]).name if self.arguments else ""
        return frozenset(filter(None, (self.executable, self.stat.name, called)))

    @property
    def called(self) -> str:
        """The one name to tell people, free of control characters."""
        name, executable = self.stat.name, self.executable or ""
        if len(os.fsencode(name)) >= COMM_LENGTH and executable.startswith(name):
            name = executable
        return printable(name) if self.arguments else f"[{printable(name)}]"

    @property
    def command_line(self) -> str:
        """The command with its arguments, cut to what fits a message."""
        shown = printable(" ".join(self.arguments)) or self.called
        return f"{shown[:_SHOWN_COMMAND]}…" if len(shown) > _SHOWN_COMMAND else shown

    @property
    def user(self) -> str:
        """The name of the account it runs as, or its number."""
        return user_name(self.user_id)


def parse_stat(text: str) -> Stat:
    """Return the fields of a /proc/PID/stat; the name in it may contain `) ` and spaces."""
    before, _, after = text.rpartition(")")
    pid, _, name = before.partition("(")
    fields = after.split()  # the first of them is proc(5)'s field 3
    return Stat(
        pid=int(pid),
        name=name,
        state=fields[0],
        parent=int(fields[1]),
        threads=int(fields[17]),
        ticks=int(fields[19]),
    )


def parse_status(text: str) -> dict[str, list[str]]:
    """Return the words of each line of a /proc/PID/status by its key."""
    lines = (line.partition(":") for line in text.splitlines())
    return {key: words.split() for key, _, words in lines}


def parse_boot_time(text: str) -> datetime:
    """Return when the machine was booted, out of /proc/stat."""
    lines = (line.split() for line in text.splitlines())
    seconds = next(int(words[1]) for words in lines if words[:1] == ["btime"])
    return datetime.fromtimestamp(seconds, UTC)


def boot_time(proc: Path = PROC) -> datetime:
    """Return when the machine was booted.

    Raises:
        CannotTell: /proc is not there, or not whole.
    """
    try:
        return parse_boot_time((proc / "stat").read_text())
    except (OSError, StopIteration) as error:
        problem = f"{proc}/stat cannot be read ({error}): is all of {proc} mounted?"
        raise CannotTell(problem) from None


def boot_id(proc: Path = PROC) -> str:
    """Return the boot's random id, or "" where it is not shown."""
    with suppress(OSError):
        return (proc / "sys/kernel/random/boot_id").read_text().strip()
    return ""


def in_initial_namespace(proc: Path = PROC) -> bool:
    """Return whether we see all of the machine's processes rather than a container's."""
    with suppress(OSError):
        return str((proc / "self/ns/pid").readlink()) == _INITIAL_PID_NAMESPACE
    return False


def look(pid: int, proc: Path = PROC) -> Process | None:
    """Return the process with this number, also a zombie, or None if there is none.

    Raises:
        CannotTell: it exists, and /proc is mounted so that this user may not see it (hidepid).
    """
    booted = boot_time(proc)
    for _ in range(2):  # a process that starts just now may be seen by kill alone
        with suppress(FileNotFoundError, ProcessLookupError):
            try:
                return _read(proc / str(pid), booted)
            except PermissionError:
                break
        if not _answers_to(pid, proc):
            return None
    raise CannotTell(
        f"pid {pid} exists, but {proc} hides it from user {user_name(os.geteuid())} "
        f"(mounted with hidepid?); let the monitor run as root or join the group of its gid= option"
    )


def everybody(proc: Path = PROC) -> Iterator[Process]:
    """Yield every process that we may see, except this one."""
    booted = boot_time(proc)
    for folder in proc.iterdir():
        if folder.name.isdecimal() and int(folder.name) != os.getpid():
            with suppress(OSError):
                yield _read(folder, booted)


def at(moment: datetime) -> str:
    """Return a moment as messages show it: local time with its offset."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S %z}"


def printable(text: str) -> str:
    """Return the text with every control character as `?`: a process chooses its own name."""
    return "".join(character if character.isprintable() else "?" for character in text)


def user_name(uid: int) -> str:
    """Return an account's name, or its number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _read(folder: Path, booted: datetime) -> Process:
    stat = parse_stat((folder / "stat").read_text(errors="replace"))
    status = parse_status((folder / "status").read_text(errors="replace"))
    real, effective, saved = (int(word) for word in status["Uid"][:3])
    command = (folder / "cmdline").read_bytes().decode(errors="replace")
    executable = _link(folder / "exe")
    directory = _link(folder / "cwd")
    return Process(
        stat=stat,
        started=booted + timedelta(seconds=stat.ticks / _TICKS_PER_SECOND),
        uids=frozenset((real, saved)),
        user_id=effective,
        inner_pids=tuple(int(word) for word in status.get("NSpid", [str(stat.pid)])),
        arguments=tuple(command.rstrip("\0").split("\0")) if command else (),
        executable=Path(executable).name if executable else None,
        directory=Path(directory) if directory else None,
    )


def _link(path: Path) -> str | None:
    """Return where a link of /proc points; an upgrade leaves ` (deleted)` behind the name."""
    with suppress(OSError):
        return str(path.readlink()).removesuffix(" (deleted)")
    return None


def _answers_to(pid: int, proc: Path) -> bool:
    """Return whether signal 0 finds the process; it reaches only the namespace that we are in."""
    if proc != PROC:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

"""Starting, freezing and ending the servers' processes, each by its own pid."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

START_DEADLINE = 30.0
"""Seconds; a busy two-core machine needs up to five."""
STOP_DEADLINE = 20.0
"""Seconds until a server that was told to end is killed; PID 1 may need two to reap an orphan."""
PAUSE = 0.02
"""Seconds between two looks at a condition."""


def wait_until(condition: Callable[[], object], what: str, *, deadline: float = 30.0) -> None:
    """Return as soon as the condition is true.

    Raises:
        TimeoutError: it is still false after `deadline` seconds; the text says `what` was awaited.
    """
    clock = threading.Event()
    for _ in range(round(deadline / PAUSE)):
        if condition():
            return
        clock.wait(PAUSE)
    if not condition():
        raise TimeoutError(f"not within {deadline:.0f} s: {what}")


def account(name: str) -> str | None:
    """Return the account that a server runs as: `name` when we are root, else None: the caller's.

    PostgreSQL refuses to run as root.
    """
    return name if os.getuid() == 0 else None


@contextmanager
def private_folder(user: str | None) -> Iterator[Path]:
    """Yield a new folder with a short path (a socket's has at most 107 bytes) owned by `user`.

    pytest's own tmp_path lies in a folder that no other user may enter.
    """
    folder = Path(tempfile.mkdtemp(prefix="yk", dir="/tmp"))
    folder.chmod(0o755)
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def as_user(user: str | None, command: Sequence[str | Path]) -> list[str]:
    """Return the command as that user runs it, without a fork, ended when its parent dies."""
    change = [f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
    return ["setpriv", "--pdeathsig=TERM", *change, "--", *map(str, command)]


def run(
    command: Sequence[str | Path], *, user: str | None = None, given: str = "", deadline: float = 60
) -> str:
    """Run a command to its end and return what it wrote; `given` is its standard input.

    Raises:
        RuntimeError: it failed; the text holds its output.
    """
    done = subprocess.run(
        as_user(user, command),
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
        timeout=deadline,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} exited with {done.returncode}:\n{done.stdout}")
    return done.stdout


def start(
    command: Sequence[str | Path],
    *,
    log: Path,
    user: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own; what it says is appended to the log."""
    with log.open("ab") as output:
        return subprocess.Popen(
            as_user(user, command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )


def stop(
    process: subprocess.Popen[bytes],
    how: signal.Signals = signal.SIGTERM,
    *,
    deadline: float = STOP_DEADLINE,
) -> None:
    """End a server that `start` gave, wake it first should it be frozen, and reap it."""
    for pid in (process.pid, *children(process.pid)):
        send(pid, signal.SIGCONT)
    send(process.pid, how)
    try:
        process.wait(deadline)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(deadline)


def send(pid: int, what: signal.Signals) -> None:
    """Send a signal to one process; one that has gone meanwhile is left in peace."""
    with suppress(ProcessLookupError):
        os.kill(pid, what)


def wait_gone(pid: int, *, deadline: float = STOP_DEADLINE) -> None:
    """Return when the process exists no longer, not even as a zombie."""
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), f"end of {pid}", deadline=deadline)


def children(pid: int) -> list[int]:
    """Return the pids of a process's children, of all its threads."""
    found: list[int] = []
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, listed.read_text().split())
    return found


def freeze(pid: int) -> None:
    """Stop a process and its children where they are: alive, listening, and silent."""
    for each in (pid, *children(pid)):
        send(each, signal.SIGSTOP)
        wait_until(lambda each=each: _stands_still(each), f"stop of {each}")


def _stands_still(pid: int) -> bool:
    """Return whether all threads of a process have stopped: a signal takes a moment to each."""
    threads = Path(f"/proc/{pid}/task").glob("*/stat")
    states = [file.read_text().rpartition(")")[2].split()[0] for file in threads]
    return all(state in "TZ" for state in states)


def thaw(pid: int) -> None:
    """Let what `freeze` stopped go on."""
    for child in (*children(pid), pid):
        send(child, signal.SIGCONT)

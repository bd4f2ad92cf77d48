"""Live processes to forge pid files with, and probes made without a configuration file."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import pytest
from servers.processes import wait_until

from pytest_yakei.context import Context

PLUGINS = Path(__file__).parents[1]
NOBODYS_PID = 4_194_303
"""Free on every machine whose pid_max was not raised to the very limit."""

Start = Callable[..., subprocess.Popen[bytes]]


def context_of(
    settings: Any, *, memory: dict[str, Any] | None = None, now: datetime | None = None
) -> Context[Any]:
    """Return what a probe is given for an entry called `main`; notes go into its memory's list."""

    def no_database(name: str) -> NoReturn:
        raise AssertionError(f"asked for the database {name}")

    return Context(
        name="main",
        settings=settings,
        database=no_database,
        memory={} if memory is None else memory,
        now=now or datetime.now(UTC),
        note=lambda text: None,
    )


@contextmanager
def running(command: Sequence[str | Path], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a started process, past its exec; it is killed and reaped at the end."""
    process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, **options)
    try:
        wait_until(lambda: _is_past_exec(process), f"exec of {command[0]}")
        yield process
    finally:
        process.kill()
        process.wait()


def _is_past_exec(process: subprocess.Popen[bytes]) -> bool:
    """Return whether the child no longer looks like us, or like nothing in the midst of exec."""
    return _command(process) not in {b"", Path("/proc/self/cmdline").read_bytes()}


@pytest.fixture
def asleep(tmp_path: Path) -> Iterator[Start]:
    """Starts processes that do nothing: `asleep("httpd", user="nobody")` is a `sleep` so named."""
    with ExitStack() as stack:

        def start(
            name: str = "sleep", *, user: str | None = None, arguments: Sequence[str] = ("600",)
        ) -> subprocess.Popen[bytes]:
            program = tmp_path / "programs" / name
            program.parent.mkdir(exist_ok=True)
            if not program.exists():
                shutil.copy(str(shutil.which("sleep")), program)
            if user is None:
                return stack.enter_context(running([program, *arguments]))
            process = stack.enter_context(running(as_account(user, ["sleep", *arguments])))
            wait_until(lambda: _command(process).startswith(b"sleep"), "setpriv's exec")
            return process

        yield start


def wait_stopped(pid: int) -> None:
    """Return when a SIGSTOP has reached the process: it takes a moment."""
    status = Path(f"/proc/{pid}/status")
    wait_until(lambda: "State:\tT" in status.read_text(), f"stop of {pid}")


def as_account(user: str, command: Sequence[str | Path]) -> list[str]:
    """Return the command as that user, in its own group, runs it: the same process, no fork."""
    account = pwd.getpwnam(user)
    change = [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    return ["setpriv", *change, "--", *map(str, command)]


def _command(process: subprocess.Popen[bytes]) -> bytes:
    return Path(f"/proc/{process.pid}/cmdline").read_bytes()


def run_python(code: str, *arguments: object, through: Sequence[str] = ()) -> str:
    """Run Python code with the plugin's folders on its path and return what it printed.

    Args:
        code: what to run; `sys.argv[1:]` are the arguments.
        arguments: for the code.
        through: a command in front of it, such as setpriv with its options.
    """
    command = [*through, sys.executable, "-c", code, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(PLUGINS), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def run_as_nobody(code: str, folder: Path, *arguments: object, through: Sequence[str] = ()) -> str:
    """Run Python code as the user nobody, who may enter neither our tree nor our Python.

    Args:
        code: what to run.
        folder: one that nobody may enter; the plugin is copied there.
        arguments: for the code.
        through: a command that root runs in front of it, such as unshare with its options.
    """
    for package in ("pytest_yakei", "yakei_shared"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PLUGINS / package, folder / package, dirs_exist_ok=True, ignore=ignored)
    command = as_account("nobody", ["/usr/bin/python3", "-B", "-c", code, *map(str, arguments)])
    done = subprocess.run(
        [*through, *command], cwd=folder, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@contextmanager
def reborn(pid: int, command: Sequence[str | Path]) -> Iterator[None]:
    """Run a command under a pid that has just become free; only root may choose one."""
    with running([sys.executable, __file__, str(pid), *map(str, command)]) as parent:
        wait_until(
            lambda: parent.poll() is not None or _runs(pid, Path(command[0])), f"new pid {pid}"
        )
        assert parent.poll() is None, "clone3 with a chosen pid needs root"
        try:
            yield
        finally:
            os.kill(pid, 9)
            parent.wait()


def _runs(pid: int, program: Path) -> bool:
    file = Path(f"/proc/{pid}/cmdline")
    return file.exists() and file.read_bytes().startswith(os.fsencode(program))


def _clone_as(pid: int) -> int:
    """Fork with clone3(2) and its `set_tid`; return the child's pid, and 0 in the child."""
    clone3, child_ended, argument_count = 435, 17, 11
    pids = (ctypes.c_int * 1)(pid)
    given = (0, 0, 0, 0, child_ended, 0, 0, 0, ctypes.addressof(pids), 1, 0)
    packed = ctypes.create_string_buffer(struct.pack(f"{argument_count}Q", *given))
    kernel = ctypes.CDLL(None, use_errno=True)
    child: int = kernel.syscall(clone3, packed, argument_count * 8)
    if child < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return child


if __name__ == "__main__":
    wanted, *program_and_arguments = sys.argv[1:]
    started = _clone_as(int(wanted))
    if started == 0:
        os.execvp(program_and_arguments[0], program_and_arguments)
    os.waitpid(started, 0)

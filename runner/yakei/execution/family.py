"""A program and everything it starts: none of them can get away, and all of them can be ended."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self

from yakei.execution.copied import Copy, Module
from yakei.execution.leaving import Terminated
from yakei.execution.processes import Process, every_pid, read_process
from yakei.execution.starting import dying_with, undisturbed
from yakei_shared.prctl import adopt_orphans

if TYPE_CHECKING:
    import subprocess

_LOOK_AGAIN = 0.02
"""Seconds between two looks at processes that were told to end."""
_KILL_PATIENCE = 1.0
"""Seconds after which a killed process is taken to be in uninterruptible sleep."""
_FINAL_GRACE = 2.0
"""Seconds between TERM and KILL when we ourselves are told to end."""


def _everyone(_: Process) -> bool:
    return True


class Family:
    """A program that we start and everything that it starts, wherever that goes.

    The program gets a session of its own and dies with us (PR_SET_PDEATHSIG). While the family is
    open we adopt orphans (PR_SET_CHILD_SUBREAPER), so neither a double fork nor setsid loses one.
    Left by an exception, all of it is ended.
    """

    def __init__(
        self,
        command: Sequence[str] | Module,
        *,
        output: IO[bytes] | int,
        with_our_stdin: bool = False,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Say what `with` is to start; stdout and stderr both go to `output`.

        Args:
            command: the program's, or a module that a copy of this process runs.
            output: a file, or a pipe.
            with_our_stdin: whether it reads what we would; else its stdin is empty.
            folder: where it works; else where we do.
            environment: its environment variables; else ours.
        """
        self.process: subprocess.Popen[bytes] | Copy
        self._command = command
        self._output, self._folder, self._environment = output, folder, environment
        self._with_our_stdin = with_our_stdin

    def __enter__(self) -> Self:
        """Start the program.

        Raises:
            OSError: it cannot be started.
        """
        ours = {self._command.copy.pid} if isinstance(self._command, Module) else set()
        self._others = {each.identity for each in _descendants(set(), ours)}
        adopt_orphans()
        is_started = False
        try:
            with undisturbed() as before:
                self.process = self._start(dying_with(os.getpid(), before))
                is_started = True
        except BaseException as error:
            self._leave(ending=is_started and isinstance(error, Terminated))
            raise
        return self

    def _start(self, before: Callable[[], None]) -> subprocess.Popen[bytes] | Copy:
        if isinstance(self._command, Module):
            output = self._output if isinstance(self._output, int) else self._output.fileno()
            folder, environment = self._folder or Path.cwd(), self._environment or os.environ
            self._command.copy.run(
                self._command, output=output, folder=folder, environment=environment
            )
            return self._command.copy
        import subprocess  # a run that passes has no use for it

        return subprocess.Popen(
            self._command,
            stdin=None if self._with_our_stdin else subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            cwd=self._folder,
            env=self._environment,
            start_new_session=True,
            preexec_fn=before,  # noqa: PLW1509 - see there
        )

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        """End all of it if an exception leaves the block."""
        self._leave(ending=kind is not None)

    def poll(self) -> int | None:
        """The program's exit code, negative for a signal; None while it runs."""
        return self.process.poll()

    @property
    def final_code(self) -> int:
        """The exit code after `end()`; that of a kill for what is in uninterruptible sleep."""
        code = self.poll()
        return -signal.SIGKILL if code is None else code

    def wait(self, seconds: float, *readable: int) -> list[int]:
        """Wait until the program ends, one of the descriptors is readable, or the time is over.

        Returns:
            The descriptors that are readable.
        """
        with _end_of(self.process) as ends:
            ready, _, _ = select.select([*ends, *readable], [], [], seconds)
        return [fd for fd in ready if fd in readable]

    def members(self) -> list[Process]:
        """Return those that live, the program included; the dead among our children are reaped."""
        self.process.poll()
        living = []
        for each in _descendants(self._others):
            if each.state not in "ZX":
                living.append(each)
            elif each.pid != self.process.pid and each.parent == os.getpid():
                with suppress(ChildProcessError):
                    os.waitpid(each.pid, os.WNOHANG)
        return living

    def end(self, grace: float, *, only: Callable[[Process], bool] = _everyone) -> list[Process]:
        """End the members: TERM, up to `grace` seconds, then KILL until nobody is left.

        Returns:
            Those that even KILL did not end within a second.
        """
        told = set()

        def terminate(process: Process) -> None:
            if process.identity not in told:  # what is being ended may still start others
                told.add(process.identity)
                _send(process, signal.SIGTERM)
                _send(process, signal.SIGCONT)  # a stopped process would never see the TERM

        self._tell(terminate, grace, only)
        return self._tell(lambda process: _send(process, signal.SIGKILL), _KILL_PATIENCE, only)

    def await_end(self, seconds: float, *, only: Callable[[Process], bool] = _everyone) -> None:
        """Wait until no member is left, or the time is over."""
        self._tell(lambda _: None, seconds, only)

    def _leave(self, *, ending: bool) -> None:
        if ending:
            self.end(_FINAL_GRACE)
        adopt_orphans(adopt=False)

    def _tell(
        self, tell: Callable[[Process], None], seconds: float, only: Callable[[Process], bool]
    ) -> list[Process]:
        """Tell the members something again and again; return those that live after that time."""
        until = time.monotonic() + seconds
        while living := list(filter(only, self.members())):
            for each in living:
                tell(each)
            if time.monotonic() >= until:
                break
            time.sleep(_LOOK_AGAIN)
        return living


@contextmanager
def _end_of(process: subprocess.Popen[bytes] | Copy) -> Iterator[list[int]]:
    """Give a descriptor that is readable when the process has ended; none before Linux 5.3."""
    try:
        handle = os.pidfd_open(process.pid)
    except OSError:
        yield []
        return
    try:
        yield [handle]
    finally:
        os.close(handle)


def _descendants(
    others: AbstractSet[tuple[int, int]], known: AbstractSet[int] = frozenset()
) -> list[Process]:
    """Return all descendants of this process but for `others` and theirs, parents first.

    Args:
        others: the identities of processes that are left out.
        known: the pids of children that are left out.
    """
    if not _has_children(known):
        return []
    children: dict[int, list[Process]] = {}
    for pid in every_pid():
        if process := read_process(pid):
            children.setdefault(process.parent, []).append(process)
    found, parents = [], [os.getpid()]
    while parents:
        for process in children.get(parents.pop(0), []):
            if process.identity not in others and process.pid not in known:
                found.append(process)
                parents.append(process.pid)
    return found


def _has_children(known: AbstractSet[int]) -> bool:
    """Return whether this process may have others; to read every process takes milliseconds."""
    try:
        tasks = list(Path("/proc/self/task").iterdir())
        found = b" ".join((task / "children").read_bytes() for task in tasks)
        return not set(map(int, found.split())) <= known
    except OSError:  # a thread has just ended, or the kernel does not tell (CONFIG_PROC_CHILDREN)
        return True


def _send(process: Process, signum: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # gone, or it has become somebody else's
        os.kill(process.pid, signum)

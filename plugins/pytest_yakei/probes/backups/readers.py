"""Runs the programs that read backups: at the lowest priority, and never for ever."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event, Timer
from typing import IO

from pytest_yakei.errors import CannotTell
from pytest_yakei.probes.backups.listing import open_untouched
from yakei_shared.durations import format_duration

CHUNK = 1 << 20
"""Bytes read at a time."""
_SHOWN = 300
"""How much of a program's complaint is worth telling."""
_PACKAGES = {"pg_restore": "postgresql-client", "xz": "xz-utils"}


class Unreadable(Exception):  # noqa: N818 - reads as what the backup is
    """A program that read a backup failed, or did not come to an end; the text says which."""


@contextmanager
def output_of(
    program: Sequence[str], timeout: timedelta, *, path: Path | None = None
) -> Iterator[IO[bytes]]:
    """Run a program, with a file as its input, and yield its output.

    The file is handed over as standard input so that its access time stays: cleaners go by it.

    Raises:
        CannotTell: the program is not installed.
        OSError: the file cannot be opened.
        Unreadable: the program failed, or did not end in time.
    """
    command = quietly(program)
    with tempfile.TemporaryFile() as errors, _opened(path) as source:
        process = subprocess.Popen(command, stdin=source, stdout=subprocess.PIPE, stderr=errors)
        too_late = Event()
        timer = Timer(timeout.total_seconds(), _end, (process, too_late))
        timer.start()
        try:
            with process:
                yield from _stdout_of(process)
        finally:
            timer.cancel()
            timer.join()
        if too_late.is_set():
            raise Unreadable(f"{program[0]} did not end within {format_duration(timeout)}")
        if process.returncode:
            errors.seek(0)
            raise Unreadable(_complaint(program[0], errors.read(), process.returncode))


def _stdout_of(process: subprocess.Popen[bytes]) -> Iterator[IO[bytes]]:
    """Yield the output of a program, which is ended if the reader gives up."""
    try:
        yield process.stdout  # type: ignore[misc]  # PIPE was asked for: it is not None
    except BaseException:
        process.kill()
        raise


def _end(process: subprocess.Popen[bytes], too_late: Event) -> None:
    """End a program that takes too long, and say so."""
    too_late.set()
    process.kill()


def run(program: Sequence[str], timeout: timedelta, *, path: Path | None = None) -> None:
    """Run a program to its end and forget its output; see `output_of`."""
    with output_of(program, timeout, path=path) as output:
        while output.read(CHUNK):
            pass


def quietly(program: Sequence[str]) -> list[str]:
    """Return the command that runs a program when nobody else wants the processor or the disk.

    Raises:
        CannotTell: the program is not installed.
    """
    name = program[0]
    if not shutil.which(name):
        package = _PACKAGES.get(name, name)
        raise CannotTell(f"{name} is not installed: sudo apt-get install {package}")
    prefix = ["nice", "-n", "19"] if shutil.which("nice") else []
    prefix += ["ionice", "-c", "3"] if shutil.which("ionice") else []
    return [*prefix, *program]


@contextmanager
def _opened(path: Path | None) -> Iterator[int]:
    """Yield a descriptor for the input: the file, or nothing."""
    if path is None:
        yield subprocess.DEVNULL
        return
    with open_untouched(path) as descriptor:
        yield descriptor


def _complaint(name: str, errors: bytes, code: int) -> str:
    """Return the first words of a program's complaint, on one line, with the program's name."""
    text = " ".join(errors.decode(errors="replace").split()) or f"ended with code {code}"
    return f"{name}: {text.removeprefix(f'{name}: ')[:_SHOWN]}"

"""Runs a program that takes a message, and reads its exit code."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import BinaryIO

from yakei.notifiers.errors import DeliveryError
from yakei.notifiers.exchange import reason
from yakei.words import cut, one_line
from yakei_shared.redaction import Redactor
from yakei_shared.signals import signal_name

_GRACE = 1.0
"""Seconds for a killed program to be gone."""
_USELESS_TO_REPEAT = frozenset({*range(64, 69), 77, 78, 126, 127})
"""sysexits.h: usage, data, no input, no such user, no such host, no permission, configuration;
and a shell's codes for a program that cannot be run or is not there."""
_SAID = 100
"""Characters of the program's own words that an error quotes."""
_READ = 4_000
"""Bytes of what it said that are looked at."""


def hand_over(
    command: Sequence[str],
    given: bytes,
    seconds: float,
    *,
    name: str,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Give a program a message on its standard input, and return when it has exited with 0.

    It runs in a session of its own, which is killed when its time is over. What it leaves in the
    background when it ends by itself is its own business: some deliver that way.

    Args:
        command: the program and its arguments.
        given: what it reads.
        seconds: how long it may take.
        name: as errors call it.
        environment: what it finds there besides ours.

    Raises:
        DeliveryError: it could not be started, failed or has not ended; with the first line that
            it wrote on its standard error.
    """
    environment = {**os.environ, **(environment or {})}
    # files and not pipes: what goes on in the background keeps its descriptors open
    with tempfile.TemporaryFile() as read, tempfile.TemporaryFile() as said:
        read.write(given)
        read.seek(0)
        process = _started(command, environment, read, said, name)
        status = _exit_status(process, seconds, name)
        said.seek(0)
        words = _first_line(said.read(_READ).decode(errors="replace"), environment)
    if status:
        how = f"exited with {status}" if status > 0 else f"died by {signal_name(-status)}"
        problem = f"{name} {how}: {words}" if words else f"{name} {how}"
        raise DeliveryError(problem, permanent=status in _USELESS_TO_REPEAT)


def _first_line(said: str, environment: Mapping[str, str]) -> str:
    """Return it without what the environment keeps secret, for that is what a program knows."""
    redactor = Redactor()
    redactor.learn_settings(environment)
    lines = (one_line(redactor.redact(line)) for line in said.splitlines())
    return cut(next(filter(None, lines), ""), _SAID)


def _started(
    command: Sequence[str],
    environment: Mapping[str, str],
    read: BinaryIO,
    said: BinaryIO,
    name: str,
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            env=environment,
            stdin=read,
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,
        )
    except OSError as error:
        # Until somebody installs it or lets us run it; a machine out of memory gets over that.
        lasting = isinstance(error, FileNotFoundError | PermissionError)
        problem = f"{name} could not be started: {reason(error)}"
        raise DeliveryError(problem, permanent=lasting) from None


def _exit_status(process: subprocess.Popen[bytes], seconds: float, name: str) -> int:
    with suppress(subprocess.TimeoutExpired):
        return process.wait(seconds)
    with suppress(ProcessLookupError):  # it has ended in this very moment
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):  # one that waits for a dead disk does not even die
        process.wait(_GRACE)
    raise DeliveryError(f"{name} has not ended within {seconds:.3g} s")

"""A terminal with a screen that a test can read, and a program that runs on it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyte

PATIENCE = 40.0
"""Seconds after which what a test waits for does not come."""


@dataclass
class Terminal:
    """The controller's side of a terminal, and what is on its screen."""

    controller: int
    process: subprocess.Popen[bytes]
    screen: pyte.Screen
    raw: bytearray = field(default_factory=bytearray)
    """All that was written to it."""

    def __post_init__(self) -> None:
        self._stream = pyte.ByteStream(self.screen)

    @property
    def lines(self) -> list[str]:
        """The lines of the screen that are not empty."""
        return [line.rstrip() for line in self.screen.display if line.strip()]

    def wait_for(self, shown: Callable[[], bool]) -> None:
        """Read what the program writes until something is shown."""
        ends = time.monotonic() + PATIENCE
        while not shown():
            assert time.monotonic() < ends, f"not shown: {self.lines}"
            if not self._read(0.5):
                assert shown(), f"ended without it: {self.lines}"

    def wait_for_text(self, text: str) -> None:
        """Read until a text is on the screen."""
        self.wait_for(lambda: any(text in line for line in self.lines))

    def wait(self) -> int:
        """Read to the program's end, and return its exit code."""
        while self._read(PATIENCE):
            pass
        return self.process.wait(PATIENCE)

    def resize(self, columns: int, rows: int) -> None:
        """Change the size as somebody does who pulls at the window."""
        set_size(self.controller, columns, rows)
        self.screen.resize(rows, columns)

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.controller, keys)

    def _read(self, patience: float) -> bool:
        """Read what comes; return whether more may come."""
        if not select.select([self.controller], [], [], patience)[0]:
            return True
        try:
            data = os.read(self.controller, 1 << 16)
        except OSError:  # EIO: everybody has closed the other side
            return False
        self.raw += data
        self._stream.feed(data)
        return bool(data)


@contextmanager
def on_terminal(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    *,
    columns: int = 80,
    rows: int = 24,
) -> Iterator[Terminal]:
    """Give a program that runs on a terminal of its own, and end it with the block."""
    controller, terminal = pty.openpty()
    set_size(controller, columns, rows)
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        preexec_fn=lambda: os.login_tty(terminal),  # noqa: PLW1509 - no thread is running yet
    )
    os.close(terminal)
    try:
        yield Terminal(controller, process, pyte.Screen(columns, rows))
    finally:
        if process.poll() is None:
            process.terminate()
        os.close(controller)
        process.wait(PATIENCE)


def set_size(terminal: int, columns: int, rows: int) -> None:
    """Tell a terminal its size, which tells its program by SIGWINCH."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def modes(terminal: int) -> list[object]:
    """Return how a terminal treats what is typed and written, to compare."""
    return list(termios.tcgetattr(terminal))

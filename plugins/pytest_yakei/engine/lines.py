"""What checks log, on its way from all workers to the parent: whole lines, each with its check."""

from __future__ import annotations

import fcntl
import json
import logging
import os
from typing import NamedTuple

import pytest

from pytest_yakei.descriptors import Descriptor
from pytest_yakei.engine import linux
from pytest_yakei.engine.files import MOST_TEXT

_BEGIN, _END = b"\x1e", b"\n"
"""Around each line, as in RFC 7464: JSON has neither inside, so that what a process was killed in
the middle of is known, and costs no other line."""
_TOO_MUCH = f"… it logs more than {MOST_TEXT >> 20} MiB, of which the rest is not printed live"
_SPENT = 1 << 20
"""Bytes that were read, after which their memory is given back."""


class Line(NamedTuple):
    """A record as it is to be printed; a message of several lines is one."""

    nodeid: str
    """The check's that logged it."""
    told: int
    """How many reports the check had sent before."""
    when: str
    """The phase, as pytest's live log calls it."""
    text: str


class Lines:
    """One file in memory, to which all workers append and of which the parent alone reads.

    Not the wire: a check's threads log too, and the processes that it forks, at any moment. Each
    line is one write to the file's end, and the kernel lets no other one come between; and nobody
    waits for the parent, who may have to wait for a slow terminal.
    """

    def __init__(self) -> None:
        descriptor = os.memfd_create("yakei-lines")
        fcntl.fcntl(descriptor, fcntl.F_SETFL, os.O_APPEND)
        self._file = Descriptor(descriptor)
        self._at = self._given_back = 0
        self._rest = b""

    def write(self, line: Line) -> None:
        """Append a line.

        Raises:
            DescriptorLostError: a check has closed our descriptor.
        """
        os.write(self._file.checked(), _BEGIN + json.dumps(line).encode() + _END)

    def read(self) -> list[Line]:
        """Return the lines that were not read yet."""
        descriptor = self._file.checked()
        size = os.fstat(descriptor).st_size
        if size == self._at:
            return []
        data = os.pread(descriptor, size - self._at, self._at)
        self._at += len(data)
        if self._at > self._given_back + _SPENT:
            linux.give_back(descriptor, self._at)
            self._given_back = self._at
        *ended, last = (self._rest + data).split(_BEGIN)
        self._rest = b"" if last.endswith(_END) else _BEGIN + last
        return [Line(*json.loads(each)) for each in (*ended, last) if each.endswith(_END)]

    def close(self) -> None:
        """Close this process's descriptor."""
        os.close(self._file.checked())


class LineWriter(logging.Handler):
    """In a worker, takes the place of pytest's handler that prints: the terminal is the parent's.

    It is a plugin, too, and so knows which check logs.
    """

    def __init__(self, lines: Lines) -> None:
        super().__init__()
        self._lines = lines
        self._nodeid = self._when = ""
        self._told = self._length = 0

    def take_over(self, handler: logging.Handler) -> None:
        """Log what the other handler did, in its format."""
        self.setLevel(handler.level)
        self.setFormatter(handler.formatter)
        for logger in (logging.getLogger(), *logging.Logger.manager.loggerDict.values()):
            if isinstance(logger, logging.Logger) and handler in logger.handlers:
                logger.handlers[logger.handlers.index(handler)] = self

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        """Log for this check from now on."""
        self._nodeid, self._when = item.nodeid, "start"
        self._told = self._length = 0

    def pytest_runtest_logreport(self) -> None:
        """Count the report, and call what follows as pytest does."""
        self._told += 1
        self._when = "logreport"

    def set_when(self, when: str) -> None:
        """Note the phase, of which pytest tells the handler that it takes for its own."""
        self._when = when

    def reset(self) -> None:
        """Do nothing: the parent knows what has been printed."""

    def emit(self, record: logging.LogRecord) -> None:
        """Append the record to what the parent prints, who must not be kept busy by one check."""
        if self._length > MOST_TEXT:
            return
        try:
            text = self.format(record)
            self._length += len(text)
            if self._length > MOST_TEXT:
                text = _TOO_MUCH
            self._lines.write(Line(self._nodeid, self._told, self._when, text))
        except Exception:  # noqa: BLE001 - as of all handlers: a check must not fail by being heard
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say nothing: pytest's other handler fails the check for a message that is wrong."""

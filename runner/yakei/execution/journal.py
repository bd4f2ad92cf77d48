"""The journal that pytest writes while it runs: what runs now, what is done, what had no turn."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

Event = dict[str, Any]
"""One line of the journal; `event` says which kind."""


class Journal:
    """A file of JSON lines that another process is appending to."""

    def __init__(self, path: Path) -> None:
        """Begin at the end of the file, which is made when there is none.

        Raises:
            OSError: the file cannot be opened or made.
        """
        self._file = path.open("ab+")
        self._rest = b""
        self._seal()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._file.close()

    def read(self) -> list[Event]:
        """Return the events of the lines that were completed since the last call."""
        # The last piece is the beginning of a line that is being written.
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        return _events(lines)

    def _seal(self) -> None:
        """End a line that a dying process left half written: nothing may be appended to it."""
        if not self._file.tell():
            return
        self._file.seek(-1, 2)
        if self._file.read() != b"\n":
            self._file.write(b"\n")
            self._file.flush()


@dataclass
class Running:
    """A check that has begun and not ended."""

    nodeid: str
    at: float
    """When it began, in seconds since the epoch."""
    noticed: float
    """When we learnt that, as time.monotonic() counts."""
    worker: str
    """The slot's worker that it runs in; empty without slots."""
    timeout: float | None
    """Its own limit in seconds, when the journal knows one."""


@dataclass
class Progress:
    """How far a suite has come: all the events so far, folded."""

    collected: dict[str, None] = field(default_factory=dict)
    """The ids of the checks that are to run, in order."""
    not_due: set[str] = field(default_factory=set)
    timeouts: dict[str, float] = field(default_factory=dict)
    """The limit in seconds of every check that has one of its own."""
    running: dict[str, Running] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    """The outcome of every check that has ended, by id."""
    collecting: str = ""
    """The node id of what is being collected: a file that is imported, as a rule."""
    collecting_since: float = 0.0
    """When we learnt that, as time.monotonic() counts."""
    fatal: set[str] = field(default_factory=set)
    """What was being collected when a process ended: the next ones do without."""
    ended: float | None = None
    """When pytest wrote its last line, as time.monotonic() counts."""

    @property
    def waiting(self) -> list[str]:
        """The ids of the checks that have had no turn yet."""
        return [
            nodeid
            for nodeid in self.collected
            if nodeid not in self.outcomes and nodeid not in self.running
        ]

    def learn(self, events: Iterable[Event], now: float | None = None) -> None:
        """Fold in the events; `now` is the monotonic time at which they were noticed."""
        for event in events:
            self._learn(event, time.monotonic() if now is None else now)

    def settle(self, outcomes: Mapping[str, str]) -> None:
        """Note that a process is over: these are the outcomes of what ran or waited in it."""
        self.outcomes |= outcomes
        self.running.clear()
        if self.collecting:
            self.fatal.add(self.collecting)
        self.collecting = ""
        self.ended = None

    def tally(self) -> str:
        """Return the state of the suite for people: `12 passed, 1 failed, 9 not judged`."""
        outcomes = list(self.outcomes.values())
        passed, skipped = outcomes.count("passed"), outcomes.count("skipped")
        not_judged = outcomes.count("not judged") + len(self.waiting)
        failed = len(outcomes) - passed - skipped - outcomes.count("not judged")
        return f"{passed} passed, {failed} failed, {not_judged} not judged"

    def _learn(self, event: Event, now: float) -> None:
        match event:
            case {"event": "session"}:  # a new process: what ran in the last one died with it
                self.settle(dict.fromkeys(self.running, "crashed"))
            case {"event": "collecting", "where": str(where)}:
                self.collecting, self.collecting_since = where, now
            case {"event": "collected", "checks": list(checks)}:
                self.collected |= dict.fromkeys(checks)
                self.not_due |= set(event.get("not_due", ()))
                self.timeouts |= event.get("timeouts", {})
            case {"event": "started", "nodeid": str(nodeid)}:
                at, timeout = event.get("at", time.time()), self.timeouts.get(nodeid)
                worker = str(event.get("worker", ""))
                self.running[nodeid] = Running(nodeid, at, now, worker, timeout)
            case {"event": "finished", "test": {"nodeid": str(nodeid)} as test}:
                self.running.pop(nodeid, None)
                self.outcomes[nodeid] = _outcome(test)
            case {"event": "end"}:
                self.ended = now


def read_progress(path: Path) -> Progress:
    """Return how far the suite of a journal has come.

    Raises:
        OSError: the file cannot be read.
    """
    progress = Progress()
    progress.learn(_events(path.read_bytes().split(b"\n")[:-1]))
    return progress


def _events(lines: Iterable[bytes]) -> list[Event]:
    events = []
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:  # half a line of a process that died: what it was to say is not known
            continue
        if isinstance(event, dict):
            events.append(event)
    return events


def _outcome(test: Mapping[Any, Any]) -> str:
    match test:
        case {"metadata": {"yakei": {"outcome": str(outcome)}}}:
            return outcome
    return str(test.get("outcome", "error"))

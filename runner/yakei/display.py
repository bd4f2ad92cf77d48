"""Shows on a terminal what runs now and for how long, how far the suite is, and what failed.

Below the lines that stay, a few lines are drawn again and again. The cursor waits in front of the
first of them, so that whatever becomes of the terminal in between (another width, another height),
all of them are behind it and can be erased. No mode of the terminal is changed, so that there is
nothing to restore, not even after a KILL.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

from yakei.columns import fitted
from yakei.execution.journal import Event, Progress, Running
from yakei.words import counted, one_line
from yakei_shared.durations import format_duration

_ERASE_BELOW = "\r\x1b[J"
_UP = "\x1b[{}A"
_RED, _YELLOW, _BOLD, _PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[1m", "\x1b[0m"
_COLOURS = {"passed": "", "skipped": _YELLOW, "not judged": _YELLOW}
"""Of the outcomes; of all others it is red."""
_WELL = {"passed", "skipped"}
_REDRAW = 0.1
"""Seconds between two drawings while nothing happens."""
_MOST_ROWS = 12
"""Checks that are shown as running; more than that nobody reads."""
_USUAL = (80, 24)
"""The size of a terminal that does not know its own, as a serial one."""


class Display:
    """Draws a run on a terminal; `close` leaves only what is to stay."""

    def __init__(self, terminal: TextIO, environment: Mapping[str, str]) -> None:
        terminal.flush()
        self._fd, self._encoding = terminal.fileno(), terminal.encoding
        self._coloured = not environment.get("NO_COLOR")  # no-color.org: set, and not empty
        self._progress = Progress()
        self._begun = time.monotonic()
        self._now = 0.0
        self._failing: set[str] = set()
        self._doing = ""
        """What goes on when no check does."""
        self._confirms = False
        self._unsaid = ""
        """The lines that are to stay and have not been written yet."""

    def __call__(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Take the journal's new events, if there are any, and draw what is so now."""
        for event in events:
            self._learn(dict(event))
        if self._unsaid or self._doing or time.monotonic() >= self._now + _REDRAW:
            self._draw()

    def close(self) -> None:
        """Erase what is not to stay."""
        self._write(_ERASE_BELOW + self._unsaid)
        self._unsaid = ""

    def _learn(self, event: Event) -> None:
        self._progress.learn([event])
        match event:
            case {"event": "confirming", "after": pause, "checks": int(checks)}:
                self._progress, self._confirms = Progress(), True
                again = format_duration(float(pause))
                self._doing = f"{counted(checks, 'check')} not well: once more after {again}"
            case {"event": "telling"}:
                self._doing = "telling"
            case {"event": "session"}:
                self._doing = ""
            case {"event": "finished", "test": {"nodeid": str(check)} as test}:
                self._finish(check, test)

    def _finish(self, check: str, test: Mapping[str, Any]) -> None:
        outcome = self._progress.outcomes[check]
        if outcome in _WELL:
            self._failing.discard(check)
        else:
            self._failing.add(check)
        if outcome not in _WELL or self._confirms:  # there, what passes is news
            fact = one_line(str(test.get("metadata", {}).get("yakei", {}).get("fact", "")))
            name = self._painted(f"{outcome:<10}", _COLOURS.get(outcome, _RED))
            self._unsaid += f"{name} {one_line(check)}  {fact}".rstrip() + "\r\n"

    def _draw(self) -> None:
        # A terminal that was stopped (Ctrl-S) takes nothing: the run must not wait for it.
        if not select.select([], [self._fd], [], 0)[1]:
            return
        self._now = time.monotonic()
        width, height = self._size()
        head, *rows = (fitted(row, width - 1) for row in self._rows(height - 1))
        lines = "\r\n".join([self._painted(head, _BOLD), *rows])
        back = _UP.format(len(rows)) if rows else ""
        self._write(f"{_ERASE_BELOW}{self._unsaid}{lines}{back}\r")
        self._unsaid = ""

    def _rows(self, most: int) -> list[str]:
        """Return how far the run is, and what runs: what has run longest first."""
        running = sorted(self._progress.running.values(), key=lambda each: each.noticed)
        most = max(0, min(most - 1, _MOST_ROWS))
        if len(running) <= most:
            return [self._head(), *map(self._row, running)]
        shown = running[: max(0, most - 1)]
        more = [f"          and {len(running) - len(shown)} more"] if most else []
        return [self._head(), *map(self._row, shown), *more]

    def _head(self) -> str:
        done, total = len(self._progress.outcomes), len(self._progress.collected)
        age = format_duration(int(self._now - self._begun))
        bad = f", {len(self._failing)} not well" if self._failing else ""
        if self._doing:
            return f"{self._doing}, {age}"
        if not total:
            return f"collecting {one_line(self._progress.collecting)}".rstrip() + f", {age}"
        again = " once more" if self._confirms else ""
        return f"{done} of {counted(total, 'check')}{again}{bad}, {age}"

    def _row(self, check: Running) -> str:
        return f"{format_duration(int(self._now - check.noticed)):>10}  {one_line(check.nodeid)}"

    def _size(self) -> tuple[int, int]:
        try:
            width, height = os.get_terminal_size(self._fd)
        except OSError:  # it has gone: writing will find that out
            width, height = 0, 0
        return width or _USUAL[0], height or _USUAL[1]

    def _painted(self, text: str, colour: str) -> str:
        return f"{colour}{text}{_PLAIN}" if self._coloured and colour else text

    def _write(self, text: str) -> None:
        data = text.encode(self._encoding, errors="replace")
        try:
            while data:
                data = data[os.write(self._fd, data) :]
        except OSError:  # the terminal has gone, and nobody looks: the run goes on
            return

"""Shows on a terminal what is being checked, as the results come."""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, TextIO

from yakei.display import Display
from yakei.words import one_line


def on_terminal(terminal: TextIO, environment: Mapping[str, str]) -> Display | Progress:
    """Return what shows a run there; a terminal that can only write on gets a line per check."""
    if environment.get("TERM", "") in {"", "dumb"}:
        return Progress(lambda line: say_to(terminal, line))
    return Display(terminal, environment)


def say_to(terminal: TextIO, line: str) -> None:
    """Write a line, unless the terminal was stopped (Ctrl-S) or has gone: the run goes on."""
    terminal.flush()
    if select.select([], [terminal.fileno()], [], 0)[1]:
        with suppress(OSError):
            os.write(terminal.fileno(), f"{line}\n".encode(terminal.encoding, errors="replace"))


class Progress:
    """Says a line for each check that has ended."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._total = 0
        self._done = 0

    def close(self) -> None:
        """Leave what was said."""

    def __call__(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Take the journal's new events."""
        for event in events:
            match event:
                case {"event": "confirming"}:
                    self._total = self._done = 0
                case {"event": "collected", "checks": list(checks)}:
                    self._total = max(self._total, len(checks))
                case {"event": "finished", "test": {"nodeid": str(check)} as test}:
                    self._done += 1
                    ours = test.get("metadata", {}).get("yakei", {})
                    outcome = ours.get("outcome", test.get("outcome", ""))
                    fact = f"  {one_line(str(ours['fact']))}" if ours.get("fact") else ""
                    name = one_line(check)
                    self._say(f"[{self._done}/{self._total}] {outcome:<10} {name}{fact}")

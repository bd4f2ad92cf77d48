"""Prints what checks log while they run: pytest's live log, of many checks at once.

Who watches a terminal wants to read what belongs together, and to see at once what a check has
logged that hangs. So lines come in blocks, each under its check's id: together with the result,
as in pytest's own loop, if that is there soon, and else as far as they go. The check whose block
is the last on the terminal goes on there at once; after another's block the id is printed again.
In one slot, that is pytest's own output.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from pytest_yakei.engine import clock
from pytest_yakei.engine.lines import Line, Lines, LineWriter
from pytest_yakei.engine.replay import Replay

_PATIENCE = 0.5
"""Seconds that lines wait for their check's result: hardly late for who watches, and most checks
are over by then, which so are not torn apart by each other."""
_AS_IT_IS = logging.Formatter()
"""Of a text that is one already."""


@dataclass
class _Held:
    """Lines of one check that were not printed yet."""

    lines: list[Line] = field(default_factory=list)
    since: float = field(default_factory=clock.monotonic)


class LiveReplay(Replay):
    """Prints the lines of a check with its reports, or before them."""

    def __init__(self, session: pytest.Session, plugin: Any) -> None:
        """Print as pytest's plugin for logging does."""
        super().__init__(session.config)
        self._plugin = plugin
        self._handler = plugin.log_cli_handler
        self._locations = {item.nodeid: item.location for item in session.items}
        self._lines = Lines()
        self._held: dict[str, _Held] = {}
        self._on_screen = ""
        """The id of the check whose block, without a result as yet, is the last one."""
        self._section = ""

    def prepare_workers(self) -> None:
        """Have what is logged sent to us."""
        writer = LineWriter(self._lines)
        writer.take_over(self._handler)
        self._plugin.log_cli_handler = writer
        self._config.pluginmanager.register(writer, "yakei-lines")

    def look(self) -> None:
        """Print the lines that shall wait no longer."""
        self._read()
        now = clock.monotonic()
        for nodeid, held in list(self._held.items()):
            if nodeid == self._on_screen or now >= held.since + _PATIENCE:
                self._print_all(nodeid)

    def finished(
        self, item: pytest.Item, reports: Iterable[dict[str, Any]], failed_subtests: int = 0
    ) -> None:
        """Tell what a check did, phase by phase, each after what it has logged."""
        self._read()
        self._turn_to(item.nodeid)
        super().finished(item, self._each_after_its_lines(item.nodeid, reports), failed_subtests)
        self._on_screen = ""

    def end(self) -> None:
        """Print what is left of checks that have no result, or have logged after it."""
        self._read()
        for nodeid in list(self._held):
            self._print_all(nodeid)
        self._lines.close()

    def _read(self) -> None:
        for line in self._lines.read():
            self._held.setdefault(line.nodeid, _Held()).lines.append(line)

    def _each_after_its_lines(
        self, nodeid: str, reports: Iterable[dict[str, Any]]
    ) -> Iterator[dict[str, Any]]:
        held = self._held.pop(nodeid, _Held()).lines
        for number, data in enumerate(reports):
            self._print([line for line in held if line.told <= number])
            held = [line for line in held if line.told > number]
            yield data
            self._section = ""
        self._print(held)

    def _print_all(self, nodeid: str) -> None:
        self._turn_to(nodeid)
        self._print(self._held.pop(nodeid).lines)

    def _turn_to(self, nodeid: str) -> None:
        """Begin a check's block, unless we are in it."""
        if nodeid != self._on_screen:
            self._on_screen, self._section = nodeid, ""
            location = self._locations.get(nodeid)
            if self._terminal and location:  # else a plugin runs what it has not collected
                self._terminal.pytest_runtest_logstart(nodeid, location)
            self._handler.reset()
            self._handler.set_when("start")

    def _print(self, lines: list[Line]) -> None:
        """Have pytest's own handler print them, under a headline where a phase begins."""
        usual = self._handler.formatter
        self._handler.setFormatter(_AS_IT_IS)
        try:
            for line in lines:
                if line.when != self._section:
                    self._section = line.when
                    self._handler.set_when(line.when)
                self._handler.emit(logging.LogRecord("", 0, "", 0, line.text, None, None))
        finally:
            self._handler.setFormatter(usual)

"""Lays out lines for a terminal: as wide as it is, and coloured where it can show colours."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from yakei.results import Severity

INDENT = " " * 7
"""Under `[CRIT] `."""
_NARROWEST, _WIDEST = 40, 120
"""Columns in which the lines can still be read."""
_COLOURS = {"CRIT": "1;31", "WARN": "1;33"}
"""ECMA-48, 8.3.117: bold red, bold yellow."""
_BLOCKS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, kw_only=True)
class Paper:
    """What lines are written on."""

    width: int = 80
    coloured: bool = False

    @classmethod
    def of_stdout(cls) -> Paper:
        """Return the terminal that stdout is; 80 columns (or COLUMNS) where it is none."""
        columns = shutil.get_terminal_size((80, 24)).columns
        terminal = sys.stdout is not None and sys.stdout.isatty()
        # https://no-color.org: whatever its value, if it is not empty
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        width = min(max(columns, _NARROWEST), _WIDEST)
        return cls(width=width, coloured=terminal and not plain)

    def block(self, severity: Severity, head: str, rest: Iterable[str]) -> list[str]:
        """Return lines that begin with the mark of a severity, the following ones under it."""
        mark = "CRIT" if severity is Severity.CRITICAL else "WARN"
        first, *more = self.wrapped(f"[{mark}] {head}", INDENT)
        painted = f"\x1b[{_COLOURS[mark]}m[{mark}]\x1b[0m" if self.coloured else f"[{mark}]"
        lines = [first.replace(f"[{mark}]", painted, 1), *more]
        for each in rest:
            lines += self.wrapped(INDENT + each, INDENT + "  ")
        return lines

    def wrapped(self, text: str, indent: str) -> list[str]:
        """Return a text in lines; a word stays whole, so that it can be copied."""
        return textwrap.wrap(
            text,
            self.width,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )

    def table(self, rows: Sequence[Sequence[str]]) -> list[str]:
        """Return rows in columns as wide as their cells; the last one is wrapped."""
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
        lines = []
        for *cells, last in rows:
            begin = "".join(f"{cell:<{width}}  " for cell, width in zip(cells, widths, strict=True))
            lines += self.wrapped(begin + last, " " * len(begin)) if last else [begin.rstrip()]
        return lines


def sparkline(values: Sequence[float], width: int) -> str:
    """Return numbers as a line of block characters, the highest of each stretch.

    Args:
        values: oldest first.
        width: characters at most.
    """
    count = min(len(values), width)
    bounds = [len(values) * number // count for number in range(count + 1)] if count else []
    peaks = [max(values[a:b]) for a, b in pairwise(bounds)]
    unit = max(map(abs, peaks), default=0.0) or 1.0  # the largest numbers differ by infinity
    heights = [peak / unit for peak in peaks]
    low, high = min(heights, default=0.0), max(heights, default=0.0)
    scale = (len(_BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(_BLOCKS[int((height - low) * scale)] for height in heights)

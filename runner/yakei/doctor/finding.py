"""One thing that `yakei doctor` has looked at."""

from __future__ import annotations

from dataclasses import dataclass

from yakei_shared.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    well: bool
    what: str
    text: str
    mistake: bool = False
    """Whether it is the configuration itself that is wrong."""

    def __str__(self) -> str:
        """Return the lines for people."""
        text = self.text.replace("\n", "\n      ")
        return f"{'ok  ' if self.well else 'FAIL'}  {self.what}: {text}"


def well(what: str, text: str) -> Finding:
    """Return that a thing is as it should be."""
    return Finding(well=True, what=what, text=text)


def ill(what: str, text: str) -> Finding:
    """Return that a thing is not as it should be, and what to do."""
    return Finding(well=False, what=what, text=text)


def mistake(error: ConfigurationError) -> Finding:
    """Return that a key of the configuration cannot be used, or a whole file that belongs to it."""
    what = error.key or error.source
    return Finding(well=False, what=what, text=error.problem, mistake=True)

"""What the command line asks of a cycle, and what it gets back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from yakei.execution.copied import Spare
from yakei.lock import OnBusy


@dataclass(frozen=True, kw_only=True)
class Request:
    """The options of `yakei run`; what is None or empty is as the configuration says."""

    config: Path | None = None
    paths: tuple[str, ...] = ()
    keyword: str = ""
    markers: str = ""
    all: bool = False
    """Also the checks whose time has not come (`every`)."""
    lock: Path | None = None
    deadline: timedelta | None = None
    on_busy: OnBusy = "alert"
    notify: bool = True
    print_always: bool = False
    log: Path | None = None
    spare: Spare | None = None
    """A copy of the process, if that is the command line's own: pytest may run in it."""
    watch: Callable[[Iterable[Mapping[str, Any]]], None] | None = None
    """Takes the results as they come: on a terminal."""

    @property
    def partial(self) -> bool:
        """Whether only a part of the suite is asked for."""
        return bool(self.paths or self.keyword or self.markers)


class Result(NamedTuple):
    """How a command ended."""

    exit_code: int
    text: str = ""
    """For stdout; empty while all is well."""
    complaint: str = ""
    """One line for stderr."""

"""Who hears about what: by owner, severity and the check's path; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from yakei.results import Severity


@dataclass(frozen=True, kw_only=True)
class Route:
    """`[[routes]]`: notifications that fit all that a route names go to its notifiers."""

    notify: tuple[str, ...]
    owner: str | None = None
    severity: Literal["critical", "warning"] | None = None
    check: str | None = None
    """A pattern of node ids, such as `monitors/test_slony.py*`."""

    def __post_init__(self) -> None:
        """Refuse a route that leads nowhere."""
        if not self.notify:
            raise ValueError("notify: expected the name of at least one notifier")

    def fits(self, *, owner: str | None, severity: Severity, check: str) -> bool:
        """Return whether a notification about this check goes this way."""
        return (
            self.owner in {None, owner}
            and self.severity in {None, severity.value}
            and (self.check is None or fnmatchcase(check, self.check))
        )


def notifiers_for(
    routes: Iterable[Route],
    every: Sequence[str],
    *,
    owner: str | None,
    severity: Severity,
    check: str,
) -> tuple[str, ...]:
    """Return the names of the notifiers that are told, in their configured order.

    What no route fits goes to every notifier: a notification that nobody hears is worse than one
    that too many hear.
    """
    chosen = {
        name
        for route in routes
        if route.fits(owner=owner, severity=severity, check=check)
        for name in route.notify
    }
    return tuple(name for name in every if name in chosen) or tuple(every)

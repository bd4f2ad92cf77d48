"""Who hears about what: by owner, severity, path and marker, now or after a while; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, NamedTuple

from yakei.patterns import matches
from yakei.results import Severity

STDOUT = "-"
"""Who is told where no notifier is configured; no table of a TOML file is called so."""


class About(NamedTuple):
    """What routes ask of a notification; of a resource, what all its checks have together."""

    severity: Severity | str
    owners: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    """Ids, or the key of what is no check."""
    markers: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Route:
    """`[[routes]]`: notifications that fit all that a route names go to its notifiers."""

    notify: tuple[str, ...]
    owner: str | None = None
    severity: Literal["critical", "warning"] | None = None
    check: str | None = None
    """A pattern of node ids, such as `monitors/test_slony.py*`."""
    marker: str | None = None
    default: bool = False
    """Used where no other route fits."""
    after: timedelta | None = None
    """Joins when an incident has been open so long, and nobody has acknowledged it."""

    def __post_init__(self) -> None:
        """Refuse a route that leads nowhere."""
        if not self.notify:
            raise ValueError("notify: expected the name of at least one notifier")
        if self.after is not None and not self.after:
            raise ValueError('after: expected a time longer than nothing, such as "30m"')
        if self.default and self.after:
            raise ValueError("after: a default route cannot wait, or nobody would hear at first")

    @property
    def unconditional(self) -> bool:
        """Whether every notification fits at once."""
        conditions = (self.owner, self.severity, self.check, self.marker, self.after)
        return not self.default and conditions == (None,) * len(conditions)

    def fits(self, about: About) -> bool:
        """Return whether a notification goes this way."""
        return (
            (self.owner is None or self.owner in about.owners)
            and self.severity in {None, str(about.severity)}
            and (self.check is None or matches(self.check, about.checks))
            and (self.marker is None or self.marker in about.markers)
        )


class Way(NamedTuple):
    """Who is told, and how long after the others."""

    notify: tuple[str, ...]
    after: timedelta | None = None
    """None: at once."""


class Routing(NamedTuple):
    """All routes, with the notifiers that they lead to."""

    routes: tuple[Route, ...] = ()
    notifiers: tuple[str, ...] = ()
    """The names of all that are configured, in their order."""

    def ways(
        self,
        *,
        owner: str | None,
        severity: Severity | str,
        check: str,
        markers: Iterable[str] = (),
    ) -> tuple[Way, ...]:
        """Return who hears about a check: those told at once first, then who joins later.

        Args:
            owner: the check's, if it has one.
            severity: of what is told.
            check: its id.
            markers: the names of its markers.
        """
        owners = (owner,) if owner else ()
        about = About(owners=owners, severity=severity, checks=(check,), markers=tuple(markers))
        return self.ways_of(about)

    def ways_of(self, about: About) -> tuple[Way, ...]:
        """Return who hears about something, those told at once first; each is named once."""
        told = set(self._at_once(about))
        ways = [Way(notify=self._in_order(told))]
        later = [each for each in self.routes if each.after and each.fits(about)]
        for route in sorted(later, key=lambda each: each.after or timedelta()):
            if joining := self._in_order(set(route.notify) - told):
                ways.append(Way(notify=joining, after=route.after))
                told.update(joining)
        return tuple(ways)

    def knows(self, name: str) -> bool:
        """Return whether a notifier is still configured."""
        return name in (self.notifiers or (STDOUT,))

    def is_dead_end(self, about: About) -> bool:
        """Return whether an owner was forgotten: no route fits it, though routes go by owner.

        What nobody is responsible for by name may go to everybody; a name that no route knows is
        a slip of the pen, or of whoever changed the routes.
        """
        if not about.owners or not any(each.owner for each in self.routes):
            return False
        either = [about._replace(severity=each) for each in Severity]
        return not any(
            route.default or (not route.after and route.fits(each))
            for each in either
            for route in self.routes
        )

    def never_leads_anywhere(self, owner: str) -> bool:
        """Return whether no check of this owner could fit a route, whatever else it has."""
        taken = (
            each.default or (not each.after and each.owner in {None, owner}) for each in self.routes
        )
        return any(each.owner for each in self.routes) and not any(taken)

    def _at_once(self, about: About) -> Iterable[str]:
        """Give the names that are told now: never none, so that nothing goes unheard."""
        fitting = [each for each in self.routes if not each.after and each.fits(about)]
        chosen = [each for each in fitting if not each.default] or fitting
        names = [name for each in chosen for name in each.notify]
        return names or self.notifiers or (STDOUT,)

    def _in_order(self, names: set[str]) -> tuple[str, ...]:
        return tuple(name for name in (*self.notifiers, STDOUT) if name in names)

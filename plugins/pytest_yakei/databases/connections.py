"""The connections of one process: one for each database, opened when a check asks for it."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import timedelta

from pytest_yakei.databases import open_session
from pytest_yakei.databases.allotment import Allotment
from pytest_yakei.databases.database import Database, Session
from pytest_yakei.databases.news import News
from pytest_yakei.databases.settings import ConfiguredDatabase
from pytest_yakei.errors import NoConnectionFree, ResourceUnavailable
from yakei_shared.durations import format_duration

_USUAL_PATIENCE = 30.0
"""Seconds to wait for a connection in a check that has no timeout."""
_SPARE = 1.0
"""Seconds before a check's timeout in which it can still say why it ends."""


class Connections:
    """Keeps a connection from one check to the next, as long as nobody else needs its place."""

    def __init__(self, find: Callable[[str], ConfiguredDatabase]) -> None:
        self._find = find
        self._open: dict[str, Database] = {}
        self._news = News()
        self._allotment = Allotment({})

    def share(self, limits: Mapping[str, int]) -> None:
        """Count the connections of all processes that are forked from now on.

        Args:
            limits: how many there may be of each database; one that is not named has no limit.
        """
        self._news.share()
        self._allotment = Allotment(limits)

    def unshare(self) -> None:
        """End what `share` began, when all those processes are gone."""
        self._news.unshare()
        self._allotment.close()
        self._allotment = Allotment({})

    def get(self, name: str) -> Database:
        """Return the connection to a configured database.

        Raises:
            NotConfigured: there is no such database.
            ResourceUnavailable: it cannot be had; whoever found that out, it is not tried again
                for half a minute.
        """
        if name in self._open:
            self._open[name].wake()
            return self._open[name]
        configured = self._find(name)
        self._open[name] = Database(
            name,
            configured.target.kind,
            lambda: self._session(configured),
            configured.timeouts,
        )
        return self._open[name]

    def lost(self, error: ResourceUnavailable) -> None:
        """Remember that a resource went away, so that this process does not wait for it again.

        The others are not told: one connection that was ended says nothing about theirs.
        """
        name = error.resource.removeprefix("database ")
        if name in self._open and not isinstance(error, NoConnectionFree):
            self._open.pop(name).close()
            self._allotment.give_back(name)
            self._news.note(error)

    def make_room(self, needed: Collection[str] | None) -> None:
        """End, between two checks, what others may need more.

        Args:
            needed: the databases that the next check is known to use; None is unknown.
        """
        for name, database in self._open.items():
            database.is_lent = False
            idle = needed is not None and name not in needed
            if self._allotment.limit(name) and (idle or self._allotment.is_awaited(name)):
                self._rest(name)

    def close(self) -> None:
        """Close every connection."""
        while self._open:
            name, database = self._open.popitem()
            database.close()
            self._allotment.give_back(name)

    def _session(self, configured: ConfiguredDatabase) -> Session:
        """Connect, unless it is known to be in vain, when there is a place for it."""
        if down := self._news.of(configured.resource):
            raise down
        if not self._allotment.take(configured.name):
            self._wait_for_place(configured)
        try:
            return open_session(_in_time(configured))
        except BaseException as error:
            self._allotment.give_back(configured.name)
            if isinstance(error, ResourceUnavailable):
                self._news.tell(error)
            raise

    def _wait_for_place(self, configured: ConfiguredDatabase) -> None:
        """Wait for a place, without a hold on any other: so no two checks wait for each other."""
        name = configured.name
        for other, database in self._open.items():
            if other != name and self._allotment.limit(other) and not database.is_lent:
                self._rest(other)
        patience = _patience()
        if not self._allotment.wait(name, time.monotonic() + patience):
            limit = f"[databases.{name}] max_connections = {self._allotment.limit(name)}"
            reason = f"no connection free within {format_duration(patience)}; {limit}"
            raise NoConnectionFree(configured.resource, reason)

    def _rest(self, name: str) -> None:
        self._open[name].rest()
        self._allotment.give_back(name)


def _patience() -> float:
    """Return how many seconds the check under way may wait, by the alarm that would end it.

    pytest-timeout has set that alarm: https://github.com/pytest-dev/pytest-timeout
    """
    left, _ = signal.getitimer(signal.ITIMER_REAL)
    if not left:
        return _USUAL_PATIENCE
    return left - min(_SPARE, left / 4)


def _in_time(configured: ConfiguredDatabase) -> ConfiguredDatabase:
    """Return it with a connect timeout that ends before the check's own.

    Else each check that needs a database which is down would have timed out by itself, for a cause
    that none of them names.
    """
    given, limit = configured.allowance, timedelta(seconds=max(_patience(), 0.001))
    shorter = replace(given, connect_timeout=min(given.connect_timeout, limit))
    return replace(configured, allowance=shorter)

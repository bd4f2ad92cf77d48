"""Watches one node of a Slony-I cluster: its slon, its node lock, its subscribers and its log."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, suppress
from datetime import datetime, timedelta

from pytest_yakei.context import Context
from pytest_yakei.errors import CannotTell, NotConfigured
from pytest_yakei.explaining import explaining
from pytest_yakei.findings import Findings
from pytest_yakei.probes.slony import lag, logtexts
from pytest_yakei.probes.slony.catalog import Catalog
from pytest_yakei.probes.slony.lag import Progress
from pytest_yakei.probes.slony.logfile import Entry, serious_entries
from pytest_yakei.probes.slony.settings import Settings
from pytest_yakei.probes.slony.sight import Sight, take_sight
from pytest_yakei.probes.slony.texts import LAG_STEPS, Case, numbered, text_of
from pytest_yakei.probes.slony.verdicts import SETTLED, Verdict, is_settled, judge
from yakei_shared.durations import format_duration
from yakei_shared.limits import Limit

__all__ = ["Settings", "Slony", "probe"]

_PAUSE = timedelta(seconds=1)
"""Between two looks while slon may be about to come back."""


def probe(context: Context[Settings]) -> Slony:
    """Return the node of one `[slony.NAME]`; nothing is asked before a check asks."""
    return Slony(context)


class Slony:
    """One node of a Slony-I cluster."""

    def __init__(self, context: Context[Settings]) -> None:
        self._context = context
        self._settings = context.settings
        self._opened: Catalog | None = None

    @property
    def max_lag(self) -> Limit[timedelta]:
        """How far a subscriber may be behind."""
        return self._settings.max_lag

    def faults(self) -> Findings:
        """Return what is wrong with slon and its lock: it is down, frozen, or could not start.

        Where slon has been there until a moment ago this takes up to 15 seconds: its watchdog
        brings it back within ten, after a restart of PostgreSQL too.

        Raises:
            CannotTell: the schema or a right (pg_monitor) is missing.
        """
        sight = self._settled_sight()
        verdict = judge(sight, self._settings.max_silence)
        memory = self._context.memory
        if verdict is Verdict.LIVE:
            memory["held"] = {"at": sight.now.isoformat(), "pid": sight.holder}
            return Findings()
        held = memory.get("held")
        case = Case(
            verdict=verdict,
            sight=sight,
            max_silence=self._settings.max_silence,
            schema=self._catalog.quoted,
            literal=self._catalog.literal,
            effect=self._effect(),
            held=(datetime.fromisoformat(held["at"]), held["pid"]) if held else None,
        )
        return Findings([text_of(case)])

    def lags(self) -> dict[str, timedelta]:
        """Return, by a name for each, how far behind the subscribers are, the worst first.

        An origin also tells the age of its own newest event, before them: when its slon makes
        none, every subscriber lags and none is at fault.

        Raises:
            CannotTell: the schema or a right is missing.
        """
        known = [one for one in lag.progress(self._catalog) if one.behind is not None]
        found: dict[str, timedelta] = {}
        if any(one.origin == self._catalog.node for one in known):
            age = lag.newest_event_age(self._catalog, self._catalog.node)
            found = {} if age is None else {f"node {self._catalog.node} newest event": age}
        for one in sorted(known, key=_behind, reverse=True):
            found.setdefault(f"node {one.subscriber} lag", _behind(one))
        return found

    def lost_subscribers(self) -> Findings:
        """Return the subscribers whose lag is not known, and those that are not subscribed.

        Raises:
            CannotTell: the schema or a right is missing.
        """
        following = lag.progress(self._catalog)
        node = self._catalog.node
        findings = [
            f"node {one.subscriber} follows node {one.origin} at an unknown distance\n{one.problem}"
            for one in following
            if one.behind is None
        ]
        subscribed = {one.subscriber for one in following}
        findings += [
            f"node {number} is not subscribed\nNo active row in sl_subscribe of node {node} has it."
            for number in self._settings.subscribers
            if number not in subscribed
        ]
        if not following and not findings:
            findings = [f"node {node} has no active subscription: nothing is replicated"]
        return Findings(findings)

    def explained(self) -> AbstractContextManager[None]:
        """Add to a lag that is too long what to look at."""
        return explaining(lambda: "\n".join(numbered(LAG_STEPS)))

    def refused_starts(self) -> Findings:
        """Return how slon was refused its lock, or met another duplicate key, by its log.

        Raises:
            CannotTell: the log cannot be read.
        """
        return logtexts.refusals(self._logged(), self._settings, self._context.now)

    def fatal_ends(self) -> Findings:
        """Return why slon, or a thread of it, gave up otherwise, by its log.

        Raises:
            CannotTell: the log cannot be read.
        """
        return logtexts.fatal_ends(self._logged(), self._settings, self._context.now)

    @property
    def _catalog(self) -> Catalog:
        if self._opened is None:
            database = self._context.database(self._settings.database)
            if database.kind != "postgresql":
                key = f"slony.{self._context.name}.database"
                raise NotConfigured(key, f"expected a PostgreSQL database, got {database.kind}")
            self._opened = Catalog(database, self._settings.cluster)
        return self._opened

    def _settled_sight(self) -> Sight:
        """Return a look that will not look better in a moment, if it looks bad."""
        limit = self._settings.max_silence
        give_up = time.monotonic() + SETTLED.total_seconds()
        looks = 1
        sight = take_sight(self._catalog)
        while judge(sight, limit) is not Verdict.LIVE and not is_settled(sight):
            if time.monotonic() > give_up:
                break
            time.sleep(_PAUSE.total_seconds())
            sight = take_sight(self._catalog)
            looks += 1
        if looks > 1:
            self._context.note(f"slon was about to come or to go; looked {looks} times")
        return sight

    def _effect(self) -> str:
        """Return what slon's absence has done to the subscribers so far."""
        with suppress(CannotTell):
            late = max(lag.progress(self._catalog), key=_behind, default=None)
            if late and late.behind is not None:
                return f"Node {late.subscriber} is {format_duration(late.behind)} behind."
        return ""

    def _logged(self) -> list[Entry]:
        settings = self._settings
        if settings.log is None:
            self._context.note("slon's log is not watched: `log` is not configured")
            return []
        since = self._context.now - settings.log_window
        return serious_entries(settings.log, since, self._context.memory)


def _behind(progress: Progress) -> timedelta:
    return progress.behind or timedelta(0)

"""Decides what a node's lock means: whether slon runs, and whether it could start."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum, auto

from pytest_yakei.probes.slony.sight import Backend, Sight

SETTLED = timedelta(seconds=15)
"""After a crash of the server or of its worker, slon's watchdog needs ten seconds to be back."""
_CLOCK_TOLERANCE = timedelta(seconds=5)


class Verdict(Enum):
    """What is the matter, in the words of whoever is called."""

    LIVE = auto()
    """slon runs and holds its lock."""
    SILENT = auto()
    """slon holds its lock and does nothing: stopped, or hanging."""
    UNLOCKED = auto()
    """slon runs without its lock: a second one could start beside it."""
    DOWN = auto()
    """No slon runs; one that is started now will come up."""
    DOUBTFUL = auto()
    """No slon runs; whether one could start is known on the database's host alone."""
    POISONED = auto()
    """A stranger has the pid in the lock: slon will refuse to start."""


def slon_of(sight: Sight) -> Backend | None:
    """Return slon's connection, or None if no slon of this cluster runs on the node.

    Slons of other clusters in the same database call their connections the same.
    """
    holder = sight.backend
    if holder and holder.is_listener and _is_our_holder(holder, sight):
        return holder
    return next((one for one in sight.listeners if _is_reported(one, sight)), None)


def _is_reported(backend: Backend, sight: Sight) -> bool:
    """Tell whether our slon reports this connection: within seconds after its start it does.

    The report of a dead slon stays, and its pid may have come to another backend.
    """
    component, started = sight.component, backend.started
    if component is None or component.connection != backend.pid:
        return False
    return started is None or component.seen >= started - _CLOCK_TOLERANCE


def _is_our_holder(backend: Backend, sight: Sight) -> bool:
    """Tell whether the listener that has the lock is ours, also where slon reports nothing.

    Its monitor thread may be switched off; but every slon makes an event now and then. A new one
    is believed until it had the time for both.
    """
    component, started = sight.component, backend.started
    if started is None or sight.now - started < SETTLED or _is_reported(backend, sight):
        return True
    if component and component.seen >= started + _CLOCK_TOLERANCE:
        return False
    if sight.last_event is None:
        return component is None
    return sight.last_event >= started


def silence_of(sight: Sight, slon: Backend) -> timedelta:
    """Return how long slon has done nothing: asked nothing, and made no event."""
    signs = [slon.active, sight.last_event, slon.started]
    return sight.now - max(sign for sign in signs if sign is not None)


def judge(sight: Sight, max_silence: timedelta) -> Verdict:
    """Return what the lock means.

    A clean stop of slon leaves its row behind, and so does a crash. The next slon removes a row
    whose pid the server cannot signal, and refuses to start for any other, whoever has the pid.
    """
    slon = slon_of(sight)
    if _is_poisoned(sight, slon):
        return Verdict.POISONED
    if slon is None:
        known = sight.holder is None or sight.blocker.can_be_asked
        return Verdict.DOWN if known else Verdict.DOUBTFUL
    if sight.holder != slon.pid:
        return Verdict.UNLOCKED
    return Verdict.SILENT if silence_of(sight, slon) > max_silence else Verdict.LIVE


def _is_poisoned(sight: Sight, slon: Backend | None) -> bool:
    if sight.holder is None or (slon and slon.pid == sight.holder):
        return False
    return sight.backend is not None or sight.blocker.bars


def changed_at(sight: Sight) -> datetime:
    """Return when things last changed: slon came, or went, or the server started."""
    slon = slon_of(sight)
    if slon and slon.started:
        return max(sight.server_started, slon.started)
    return max(filter(None, (sight.server_started, sight.last_work, sight.last_event)))


def is_settled(sight: Sight) -> bool:
    """Return whether nothing has changed for so long that slon will not come back by itself."""
    return sight.now - changed_at(sight) >= SETTLED

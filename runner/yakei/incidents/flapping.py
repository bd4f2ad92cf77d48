"""Knows what fails and passes in turn, by how often its last runs have changed, as Nagios does.

The rule is that of Nagios Core ("Detection and Handling of State Flapping"): the changes between
the last 21 states are weighted from 0.8, the oldest, to 1.2, the newest; flapping starts at 30 %
of what is possible and ends below 25 %.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from yakei.incidents.remembered import Flapping, History, Notice, Reason
from yakei.results import worst_of
from yakei.words import counted

STATES = 21
"""Runs that are remembered of each check: they have 20 changes between them."""
_OLDEST, _NEWEST = 0.8, 1.2
_STARTS, _ENDS = 30.0, 25.0
"""Percent; between them everything stays as it was."""


def percent_changed(recent: str) -> float:
    """Return how much the states have changed, in weighted percent; unknown ones have not."""
    changes = STATES - 1
    step = (_NEWEST - _OLDEST) / (changes - 1)
    newest_first = pairwise(reversed(recent[-STATES:]))
    weights = (
        _NEWEST - step * number
        for number, (later, earlier) in enumerate(newest_first)
        if later != earlier
    )
    return 100 * sum(weights) / changes


def flapping_now(
    before: Mapping[str, Flapping], histories: Mapping[str, History], now: datetime
) -> dict[str, Flapping]:
    """Return what is flapping, by key: a check that was not judged stays as it was."""
    found = {}
    for key, history in histories.items():
        limit = _ENDS if key in before else _STARTS
        # most checks have passed for hours: there is nothing to be weighed
        if len(set(history.recent)) > 1 and percent_changed(history.recent) >= limit:
            found[key] = before.get(key, Flapping(key=key, since=now))
    return found


def told_of(flapping: Mapping[str, Flapping], notices: Iterable[Notice]) -> dict[str, Flapping]:
    """Return what is flapping after these notices: the highest severity that was told counts."""
    after = dict(flapping)
    for notice in notices:
        known = after.get(notice.incident.key)
        if known and notice.reason in {Reason.FLAPPING, Reason.WORSE}:
            severity = worst_of(known.told_severity, notice.incident.severity)
            after[known.key] = replace(known, told_severity=severity)
    return after


def in_words(recent: str, fact: str) -> str:
    """Return `fails and passes in turn: 8 changes in the last 20 runs; last: 1396 waiting`."""
    changes = sum(later != earlier for earlier, later in pairwise(recent))
    how = "fails and passes in turn" if "." in recent else "is a warning and critical in turn"
    runs = counted(len(recent) - 1, "run")
    return f"{how}: {changes} changes in the last {runs}; last: {fact}"

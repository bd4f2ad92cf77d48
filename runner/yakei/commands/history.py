"""Says how a check went: its outcomes run by run, and its measures with their extremes."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import groupby
from math import isfinite
from statistics import median
from typing import Any

from yakei.commands.asking import (
    RefusedError,
    configuration_of,
    document,
    duration,
    listed,
    printed,
    refusing,
    state_of,
)
from yakei.commands.layout import Paper, sparkline
from yakei.nearness import nearest_pattern
from yakei.patterns import matches
from yakei.request import Result
from yakei.store.past import PastMeasure, PastOutcome
from yakei.words import counted, number, one_line, short_clock

_SINCE = "24h"
"""How far back by default: a day shows what comes and goes with the hours."""
_STRETCHES = 20
"""Stretches of equal outcomes that are listed, the newest: a screen."""
_ALL = "everything is there with --json"


def history(options: argparse.Namespace) -> Result:
    """Return the answer of `yakei history`.

    Raises:
        ConfigurationError: there is no configuration, or its state cannot be read.
    """
    return refusing(lambda: _history(options))


def _history(options: argparse.Namespace) -> Result:
    configuration = configuration_of(options.config)
    now = datetime.now(UTC)
    reach = options.since or _SINCE
    since = now - duration(reach, "--since")
    with state_of(configuration) as view:
        check = _the_one(options.check.strip(), view.checks())
        outcomes, measures = view.outcomes(check, since), view.measures(check, since)
    if options.json:
        content = {"at": now.isoformat(), "since": since.isoformat(), "check": check}
        return document(configuration, {**content, **_document(outcomes, measures)})
    paper = Paper.of_stdout()
    lines = [
        check,
        *paper.wrapped(_summary(outcomes, reach), "  "),
        *_measures(measures, paper),
        *_outcomes(outcomes, paper, now),
    ]
    return printed(configuration, lines)


def _the_one(written: str, known: Sequence[str]) -> str:
    """Return the check that is meant.

    Raises:
        RefusedError: none is, or more than one could be.
    """
    if written in known:
        return written
    found = [each for each in known if matches(written, [each])]
    if not found and written:
        # A file is often called as one of its checks: what the check says itself goes first.
        own = [each for each in known if written in each.partition("::")[2]]
        found = own or [each for each in known if written in each]
    if len(found) == 1:
        return found[0]
    if found:
        raise RefusedError(f"history: {written} could be any of {listed(found)}")
    why = f"no run has had a check {written}" if known else "there has been no run yet"
    raise RefusedError(f"history: {why}{nearest_pattern(written, known)}")


def _document(outcomes: Sequence[PastOutcome], measures: Sequence[PastMeasure]) -> dict[str, Any]:
    return {
        "outcomes": [{**asdict(each), "at": each.at.isoformat()} for each in outcomes],
        "measures": [{"at": each.at.isoformat(), **asdict(each.measure)} for each in measures],
    }


def _summary(outcomes: Sequence[PastOutcome], reach: str) -> str:
    if not outcomes:
        return f"no run in the last {reach}"
    counts = Counter(each.outcome for each in outcomes).most_common()
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts)
    seconds = [each.duration for each in outcomes]
    times = f"took {median(seconds):.2g} s, at most {max(seconds):.2g} s"
    return f"{counted(len(outcomes), 'run')} in the last {reach}: {told}; {times}"


def _measures(measures: Sequence[PastMeasure], paper: Paper) -> Iterator[str]:
    """Yield each measure: its last value, limit and extremes, and a line of its course."""
    names = dict.fromkeys(each.measure.name for each in measures)
    for name in names:
        same = [each.measure for each in measures if each.measure.name == name]
        values = [each.value for each in same if each.value is not None and isfinite(each.value)]
        last = same[-1]
        limit = f" (limit: {last.limit})" if last.limit else ""
        extremes = f", {number(min(values))} to {number(max(values))}" if values else ""
        said = f"{name}: {number(last.value)} {last.unit}".rstrip()
        yield ""
        yield from paper.wrapped(f"{said}{limit}{extremes}", "  ")
        if len(values) > 1:
            yield sparkline(values, paper.width)


def _outcomes(outcomes: Sequence[PastOutcome], paper: Paper, now: datetime) -> Iterator[str]:
    """Yield the stretches of equal outcomes, newest first."""
    stretches = [list(same) for _, same in groupby(outcomes, key=lambda each: each.outcome)]
    rows = [
        (
            short_clock(same[0].at, now, None),
            f"to {short_clock(same[-1].at, now, None)}" if len(same) > 1 else "",
            counted(len(same), "run"),
            same[0].outcome,
            one_line(same[-1].fact),
        )
        for same in reversed(stretches[-_STRETCHES:])
    ]
    if rows:
        yield ""
        yield from paper.table(rows)
    if len(stretches) > _STRETCHES:
        yield f"and {len(stretches) - _STRETCHES} stretches before; {_ALL}"

"""Says what is failing now, as the last runs have left it."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from yakei.commands.account import Account, accounts, short_error, silence_document, silence_line
from yakei.commands.asking import configuration_of, document, printed, state_of
from yakei.commands.layout import Paper
from yakei.incidents.remembered import Silence, State
from yakei.pace import Pace, describe_pace
from yakei.request import Result
from yakei.store import makeshift
from yakei.store.pace import read_pace
from yakei.store.past import Waiting
from yakei.store.viewing import View
from yakei.words import clock, counted, how_long, one_line, short_clock
from yakei_shared.configuration import Configuration


def status(options: argparse.Namespace) -> Result:
    """Return the answer of `yakei status`.

    Raises:
        ConfigurationError: there is no configuration, or its state cannot be read.
    """
    configuration = configuration_of(options.config)
    with state_of(configuration) as view:
        seen = _look(view, configuration, datetime.now(UTC))
    run = configuration.run
    pace = read_pace(run.state)
    if options.json:
        return document(configuration, {**_document(seen), "pace": _pace(pace, run.interval)})
    paper = Paper.of_stdout()
    times = describe_pace(pace, run.interval) if pace else ()
    wrapped = (part for line in times for part in paper.wrapped(line, ""))
    return printed(configuration, (*_lines(seen, paper), *wrapped))


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """All that the answer tells."""

    state: State
    failing: Sequence[Account]
    silences: Sequence[Silence]
    waiting: Sequence[Waiting]
    note: str
    now: datetime


def _look(view: View, configuration: Configuration, now: datetime) -> _Seen:
    """Return what is seen in the state, or where runs go on that cannot write it."""
    state = view.state(configuration.path)
    place = makeshift.existing(configuration.run.state)
    if place is None:
        return _seen(view, state, view.note(), now)
    with View(place) as elsewhere:
        last = elsewhere.state(configuration.path)
        if not (last.last_run and (not state.last_run or last.last_run > state.last_run)):
            return _seen(view, state, view.note(), now)
        said = replace(last, silences=state.silences, acknowledgements=state.acknowledgements)
        why = elsewhere.note() or f"state {configuration.run.state}: it could not be written"
        note = f"{why}; what happened since is kept in {place}"
        return _seen(elsewhere, said, note, now)


def _seen(view: View, state: State, note: str, now: datetime) -> _Seen:
    in_force = [each for each in state.silences if each.until > now]
    known = accounts(view, now, state, now)
    return _Seen(
        state=state,
        failing=sorted((each for each in known if not each.past.closed), key=lambda a: a.rank),
        silences=in_force,
        waiting=view.waiting(),
        note=note,
        now=now,
    )


def _document(seen: _Seen) -> dict[str, Any]:
    last, run = seen.state.last_complete, seen.state.last_run
    return {
        "at": seen.now.isoformat(),
        "failing": [each.document() for each in seen.failing],
        "silences": [silence_document(each) for each in seen.silences],
        "waiting": [_waiting(each) for each in seen.waiting],
        "last_complete": {"at": last.at.isoformat(), "summary": last.summary} if last else None,
        "last_run": run.isoformat() if run else None,
        "note": seen.note or None,
    }


def _pace(pace: Pace | None, interval: timedelta) -> dict[str, Any] | None:
    if pace is None:
        return None
    return {
        "seconds": pace.took.total_seconds(),
        "interval": interval.total_seconds(),
        "slowest": [each._asdict() for each in pace.slowest],
    }


def _waiting(each: Waiting) -> dict[str, Any]:
    return {
        "notifier": each.notifier,
        "messages": each.messages,
        "since": each.since.isoformat(),
        "attempts": each.attempts,
        "tried": each.tried.isoformat() if each.tried else None,
        "error": each.error or None,
    }


def _lines(seen: _Seen, paper: Paper) -> Iterator[str]:
    if seen.note:
        yield from paper.wrapped(one_line(seen.note), "  ")
    for account in seen.failing:
        yield from account.lines(paper, seen.now)
    silences = [silence_line(each, seen.now) for each in seen.silences]
    yield from _section(paper, "silences", silences)
    yield from _section(paper, "waiting", [_late(each, seen.now) for each in seen.waiting])
    last = seen.state.last_complete
    if not last:
        yield "there has been no complete run yet"
        return
    if not seen.failing:
        yield "nothing is failing"
    at, ago = clock(last.at, seen.now, None), how_long(seen.now - last.at)
    yield from paper.wrapped(f"last complete run {at}, {ago} ago: {last.summary}", "  ")


def _section(paper: Paper, title: str, lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield f"{title}:"
    for line in found:
        yield from paper.wrapped(f"  {line}", "     ")


def _late(each: Waiting, now: datetime) -> str:
    since = f"{short_clock(each.since, now, None)} ({how_long(now - each.since)})"
    messages = counted(each.messages, "message")
    return f"{each.notifier}  {messages} since {since}{short_error(each.error)}"

"""Keeps matching checks quiet until a time, and ends that before its time."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from yakei.commands.account import silence_line
from yakei.commands.asking import (
    RefusedError,
    configuration_of,
    duration,
    listed,
    printed,
    refusing,
    state_of,
    text_of,
)
from yakei.commands.speaker import speaker
from yakei.incidents.remembered import Silence, State
from yakei.nearness import nearest_pattern
from yakei.patterns import matches
from yakei.request import Result
from yakei.store.speaking import add_silence, end_silence
from yakei.words import clock, counted, how_long

_LONGEST = timedelta(days=90)
"""What is quiet for longer is a check to mend or to remove."""
_EXAMPLE = "yakei silence 'monitors/test_backups.py*' --for 2h --reason \"moving srv01\""


def silence(options: argparse.Namespace) -> Result:
    """Return the answer of `yakei silence`.

    Raises:
        ConfigurationError: there is no configuration, or its state cannot be read or written.
    """
    return refusing(lambda: _silence(options))


def unsilence(options: argparse.Namespace) -> Result:
    """Return the answer of `yakei unsilence`.

    Raises:
        ConfigurationError: there is no configuration, or its state cannot be read or written.
    """
    return refusing(lambda: _unsilence(options))


def _silence(options: argparse.Namespace) -> Result:
    now = datetime.now(UTC)
    made = _asked_for(options, now)
    configuration = configuration_of(options.config)
    with state_of(configuration) as view:
        state = view.state(configuration.path)
        found = _matching(made.pattern, state, anyway=options.anyway)
        number = add_silence(configuration.run.state, made)
    failing = sum(key in state.incidents for key in found)
    more = f", {failing} of them failing now" if failing else ""
    end = f"until {clock(made.until, now, None)} ({how_long(made.until - now)})"
    lines = (
        f"silence {number}: {made.pattern} {end}, by {made.by}: {made.reason}",
        f"matches {counted(len(found), 'check')}{more}; `yakei unsilence {number}` ends it",
    )
    return printed(configuration, lines)


def _asked_for(options: argparse.Namespace, now: datetime) -> Silence:
    """Return the silence that was asked for.

    Raises:
        RefusedError: it has no pattern, end or reason, or is too long.
    """
    pattern = text_of(options.pattern, f"silence: a pattern is missing: {_EXAMPLE}")
    written = text_of(options.duration, f"silence: an end is missing: {_EXAMPLE}")
    lasts = duration(written, "--for")
    if lasts > _LONGEST:
        raise RefusedError(
            f"--for: expected at most {_LONGEST.days}d, got {written}; mend the check"
        )
    reason = text_of(options.reason, f"silence: a reason is missing: {_EXAMPLE}")
    by = speaker(options.by)
    return Silence(id="", pattern=pattern, until=now + lasts, reason=reason, by=by, at=now)


def _matching(pattern: str, state: State, *, anyway: bool) -> Sequence[str]:
    known = dict.fromkeys((*state.population, *state.incidents))
    found = [key for key in known if matches(pattern, [key])]
    if found or anyway:
        return found
    why = f"no check matches {pattern}" if known else "no check is known before the first run"
    raise RefusedError(
        f"silence: {why}{nearest_pattern(pattern, known)} (--anyway silences it all the same)"
    )


def _unsilence(options: argparse.Namespace) -> Result:
    now = datetime.now(UTC)
    configuration = configuration_of(options.config)
    with state_of(configuration) as view:
        state = view.state(configuration.path)
        in_force = {each.id: each for each in state.silences if each.until > now}
        by = speaker(options.by)
        if options.silence not in in_force or not end_silence(
            configuration.run.state, options.silence, by=by, at=now
        ):
            others = listed(f"{each.id} ({each.pattern})" for each in in_force.values())
            raise RefusedError(
                f"unsilence: no silence {options.silence}; in force: {others or 'none'}"
            )
    return printed(configuration, [f"ended {silence_line(in_force[options.silence], now)}"])

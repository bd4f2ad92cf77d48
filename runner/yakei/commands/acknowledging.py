"""Keeps that somebody knows of an incident: no more reminders until it recovers."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from yakei.commands.asking import (
    RefusedError,
    configuration_of,
    listed,
    printed,
    refusing,
    state_of,
    text_of,
)
from yakei.commands.speaker import speaker
from yakei.incidents.remembered import Acknowledgement, Incident
from yakei.nearness import nearest_pattern
from yakei.patterns import matches
from yakei.request import Result
from yakei.store.speaking import add_acknowledgement
from yakei.words import one_line

_EXAMPLE = 'yakei ack INCIDENT --reason "calling the provider"'


def ack(options: argparse.Namespace) -> Result:
    """Return the answer of `yakei ack`.

    Raises:
        ConfigurationError: there is no configuration, or its state cannot be read or written.
    """
    return refusing(lambda: _ack(options))


def _ack(options: argparse.Namespace) -> Result:
    reason = text_of(options.reason, f"ack: a reason is missing: {_EXAMPLE}")
    configuration = configuration_of(options.config)
    with state_of(configuration) as view:
        known = view.state(configuration.path).incidents.values()
        incident = _the_one(options.incident.strip(), sorted(known, key=lambda each: each.since))
        said = Acknowledgement(
            incident=incident.id, reason=reason, by=speaker(options.by), at=datetime.now(UTC)
        )
        add_acknowledgement(configuration.run.state, said)
    lines = (
        f"acknowledged {_named(incident)}: {one_line(incident.fact)}",
        f"by {said.by}: {said.reason}; no more reminders until it recovers",
    )
    return printed(configuration, lines)


def _the_one(written: str, known: Sequence[Incident]) -> Incident:
    """Return the open incident that is meant.

    Raises:
        RefusedError: none is, or more than one could be.
    """
    if exact := [each for each in known if written in {each.id, each.key}]:
        return exact[0]
    found = [each for each in known if written and _fits(written, each)]
    if len(found) == 1:
        return found[0]
    if found:
        raise RefusedError(f"ack: {written} could be any of {_candidates(found)}")
    others = _candidates(known) or "none"
    advice = nearest_pattern(written, [each.key for each in known])
    name = written or "without a name"
    raise RefusedError(f"ack: no open incident {name}{advice}; open: {others}")


def _fits(written: str, incident: Incident) -> bool:
    named = matches(written, (incident.key, incident.label))
    return named or incident.id.startswith(written)


def _candidates(incidents: Iterable[Incident]) -> str:
    return listed(map(_named, incidents))


def _named(incident: Incident) -> str:
    return f"{incident.id} ({one_line(incident.label)})"

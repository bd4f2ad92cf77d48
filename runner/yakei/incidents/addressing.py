"""Finds whom a notice is for: by the routes, by who was told before, and by how long it lasts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from yakei.incidents.policy import Policy
from yakei.incidents.remembered import Incident
from yakei.incidents.troubles import RESOURCE, SKIP
from yakei.routes import About


def about(incident: Incident) -> About:
    """Return what routes ask of an incident; a resource is about all the checks it blocks."""
    own = (incident.key.removeprefix(SKIP),)
    return About(
        severity=incident.severity,
        owners=incident.owners,
        checks=(*own, *incident.checks) if incident.key.startswith(RESOURCE) else own,
        markers=incident.markers,
    )


def told_at_once(incident: Incident, policy: Policy) -> tuple[str, ...]:
    """Return the names of the notifiers that are told whenever there is something to tell."""
    return policy.routing.ways_of(about(incident))[0].notify


def told_as_well(incident: Incident, policy: Policy, now: datetime) -> tuple[str, ...]:
    """Return the names of those who have joined, because it has been open for so long."""
    if incident.first_told is None:
        return ()
    first = incident.first_told
    _, *later = policy.routing.ways_of(about(incident))
    return tuple(
        name
        for way in later
        if way.after and policy.is_over(way.after, first, now, slack=way.after)
        for name in way.notify
    )


def together(*groups: Iterable[str]) -> tuple[str, ...]:
    """Return all names, each once, in their order."""
    return tuple(dict.fromkeys(name for group in groups for name in group))

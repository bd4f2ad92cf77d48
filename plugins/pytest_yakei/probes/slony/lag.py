"""How far each subscriber is behind the node where its data come from."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta

from pytest_yakei.probes.slony.catalog import Catalog
from yakei_shared.durations import format_duration

CLOCK_TOLERANCE = timedelta(seconds=10)
"""Two hosts with a time server differ by less; more of it falsifies what a subscriber sees."""


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """One table set on its way to one node."""

    set_id: int
    provider: int
    receiver: int
    active: bool


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a subscriber has followed an origin, as this node knows it.

    Attributes:
        behind: the age of the last event that arrived; None if that is not known.
        problem: why it is not known.
    """

    subscriber: int
    origin: int
    behind: timedelta | None = None
    problem: str = ""


def subscriptions(catalog: Catalog) -> list[Subscription]:
    """Return the subscriptions of the whole cluster: each node knows them all."""
    rows = catalog.ask(
        "select sub_set, sub_provider, sub_receiver, sub_active from @.sl_subscribe", "sl_subscribe"
    )
    return [
        Subscription(set_id=number, provider=provider, receiver=receiver, active=bool(active))
        for number, provider, receiver, active in rows
    ]


def followers(known: list[Subscription]) -> set[tuple[int, int]]:
    """Return each pair of an origin and a node with an active subscription to a set of it.

    A set's origin is the one provider that does not itself receive it: in a cascade, where node 2
    hands on to node 3 what it has from node 1, both follow node 1.
    """
    receivers: dict[int, set[int]] = defaultdict(set)
    for one in known:
        receivers[one.set_id].add(one.receiver)
    origins = {
        one.set_id: one.provider for one in known if one.provider not in receivers[one.set_id]
    }
    return {(origins.get(one.set_id, one.provider), one.receiver) for one in known if one.active}


def progress(catalog: Catalog) -> list[Progress]:
    """Return how far each subscriber is that this node can tell of.

    An origin knows all its subscribers, by what they have confirmed (sl_status, which shows the
    local node's events only). A subscriber knows itself, by the events that have arrived.
    """
    node, pairs = catalog.node, sorted(followers(subscriptions(catalog)))
    confirmed = _confirmed(catalog) if any(origin == node for origin, _ in pairs) else {}
    found = []
    for origin, subscriber in pairs:
        if origin == node:
            found.append(_seen_by_origin(origin, subscriber, confirmed))
        elif subscriber == node:
            found.append(_seen_by_subscriber(catalog, origin, subscriber))
    return found


def _confirmed(catalog: Catalog) -> dict[int, list[timedelta | None]]:
    lags: dict[int, list[timedelta | None]] = defaultdict(list)
    for receiver, lag in catalog.ask(
        "select st_received, st_lag_time from @.sl_status", "sl_status"
    ):
        lags[receiver].append(lag)
    return lags


def _seen_by_origin(
    origin: int, subscriber: int, confirmed: dict[int, list[timedelta | None]]
) -> Progress:
    lags = confirmed.get(subscriber, [])
    known = [lag for lag in lags if lag is not None]
    if not lags:
        problem = "it has no row in sl_status: it never confirmed an event, or long ago"
    elif len(known) < len(lags):
        problem = "its st_lag_time in sl_status is NULL"
    else:
        return Progress(subscriber=subscriber, origin=origin, behind=max(known))
    return Progress(subscriber=subscriber, origin=origin, problem=problem)


def _seen_by_subscriber(catalog: Catalog, origin: int, subscriber: int) -> Progress:
    age = newest_event_age(catalog, origin)
    problem = ""
    if age is None:
        problem = f"no event of node {origin} is here"
    elif age < -CLOCK_TOLERANCE:
        ahead = format_duration(-age)
        problem = f"the newest event of node {origin} is {ahead} in the future: check both clocks"
        age = None
    return Progress(subscriber=subscriber, origin=origin, behind=age, problem=problem)


def newest_event_age(catalog: Catalog, origin: int) -> timedelta | None:
    """Return the age of the newest event of a node that is known here; None if there is none.

    While an origin's slon is down this grows, and the number of unconfirmed events does not.
    """
    rows = catalog.ask(
        "select now() - max(ev_timestamp) from @.sl_event where ev_origin = %s",
        "sl_event",
        params=[origin],
    )
    age: timedelta | None = rows[0][0] if rows else None
    return age

"""Who follows whom in a cluster, by its subscriptions alone."""

from __future__ import annotations

import pytest

from pytest_yakei.probes.slony.lag import Subscription, followers


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        pytest.param([(1, 1, 2), (1, 1, 3)], {(1, 2), (1, 3)}, id="two subscribers"),
        pytest.param([(1, 1, 2), (1, 2, 3)], {(1, 2), (1, 3)}, id="a cascade"),
        pytest.param([(1, 1, 2), (2, 2, 1)], {(1, 2), (2, 1)}, id="each follows the other"),
        pytest.param([(1, 1, 2), (2, 1, 2)], {(1, 2)}, id="two sets on one way"),
    ],
)
def test_everybody_follows_the_origin_of_a_set_whoever_hands_it_on(
    edges: list[tuple[int, int, int]], expected: set[tuple[int, int]]
) -> None:
    known = [
        Subscription(set_id=number, provider=provider, receiver=receiver, active=True)
        for number, provider, receiver in edges
    ]

    assert followers(known) == expected


def test_a_subscription_whose_first_copy_is_under_way_does_not_count_yet() -> None:
    first = Subscription(set_id=1, provider=1, receiver=2, active=True)
    copying = Subscription(set_id=1, provider=2, receiver=3, active=False)

    assert followers([first, copying]) == {(1, 2)}

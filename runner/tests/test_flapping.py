"""When something counts as flapping: the weights and limits of Nagios."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from suites import NIGHT, PATIENTLY

from yakei.incidents.flapping import flapping_now, in_words, percent_changed
from yakei.incidents.remembered import Flapping, History

SINCE = {"x": Flapping(key="x", since=NIGHT)}


@pytest.mark.parametrize(
    ("recent", "percent"),
    [
        pytest.param("", 0, id="nothing is known"),
        pytest.param("c", 0, id="one run has no change"),
        pytest.param("." * 21, 0, id="always well"),
        pytest.param("c" * 21, 0, id="always failing"),
        pytest.param(".c" * 10 + ".", 100, id="another state each time"),
        pytest.param("." * 20 + "c", 6, id="the newest change weighs 1.2"),
        pytest.param("." + "c" * 20, 4, id="the oldest one weighs 0.8"),
        pytest.param("c" + ".c" * 3, 34.42, id="six changes in a row"),
        pytest.param("c" + "wc" * 3, 34.42, id="a warning is another state than critical"),
        pytest.param("." * 50 + "c", 6, id="older states do not count"),
    ],
)
def test_changes_are_weighted_by_their_age(recent: str, percent: float) -> None:
    assert percent_changed(recent) == pytest.approx(percent, abs=0.01)


@pytest.mark.parametrize(
    ("recent", "before", "flaps"),
    [
        pytest.param("c.c.c.", False, False, id="28.9 % do not start it"),
        pytest.param("c.c.c.", True, True, id="and do not end it"),
        pytest.param("c.c.c.c", False, True, id="34.4 % start it"),
        pytest.param("c.c.c.c" + "c" * 14, True, True, id="14 runs later it is at 25.6 %"),
        pytest.param("." * 21, True, False, id="what is stable does not flap"),
    ],
)
def test_it_starts_at_30_percent_and_ends_below_25(recent: str, before: bool, flaps: bool) -> None:
    histories = {"x": History(recent=recent)}

    assert bool(flapping_now(SINCE if before else {}, histories, NIGHT)) is flaps


def test_what_goes_on_flapping_keeps_its_beginning() -> None:
    later = flapping_now(SINCE, {"x": History(recent="c.c.c.c")}, NIGHT.replace(year=2027))

    assert later == SINCE


@PATIENTLY
@given(st.text(alphabet=".wc", max_size=30))
def test_the_share_is_always_a_share(recent: str) -> None:
    assert 0 <= percent_changed(recent) <= 100.0001


@pytest.mark.parametrize(
    ("recent", "words"),
    [
        ("c.c.c.c", "fails and passes in turn: 6 changes in the last 6 runs; last: bad"),
        ("cwcwcwc", "is a warning and critical in turn: 6 changes in the last 6 runs; last: bad"),
    ],
)
def test_flapping_is_said_with_its_changes(recent: str, words: str) -> None:
    assert in_words(recent, "bad") == words

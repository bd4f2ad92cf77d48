"""What a worker says is heard once, whole and in order, by whatever way it comes first."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_yakei.descriptors import DescriptorLostError
from pytest_yakei.engine.offers import Offers
from pytest_yakei.engine.wire import Listener, Teller, pair


@pytest.fixture
def draft() -> Iterator[int]:
    """The file in which a worker keeps what it has not sent."""
    descriptor = os.memfd_create("draft")
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def ends(draft: int) -> Iterator[tuple[Teller, Listener]]:
    """A worker's end and its parent's."""
    ours, theirs = pair()
    with ours, theirs:
        yield Teller(theirs, draft), Listener(ours, draft)


def test_a_note_that_was_not_sent_is_found_in_the_draft(ends: tuple[Teller, Listener]) -> None:
    teller, listener = ends
    teller.note("report", {"when": "setup"})

    assert listener.arrived() == ([], True)
    assert listener.unsent() == [("report", {"when": "setup"})]


def test_what_was_found_in_the_draft_is_not_heard_again(ends: tuple[Teller, Listener]) -> None:
    teller, listener = ends
    teller.note("first")
    listener.unsent()
    teller.note("second")
    teller.send()

    assert listener.arrived() == ([("second",)], True)
    assert listener.unsent() == []


def test_quick_news_wait_for_each_other(ends: tuple[Teller, Listener]) -> None:
    teller, listener = ends
    for number in range(3):
        teller.note(number)
        teller.send(after=60)

    assert listener.arrived()[0] == [(0,)]
    assert listener.unsent() == [(1,), (2,)]


def test_an_object_is_told_as_its_text(ends: tuple[Teller, Listener]) -> None:
    teller, listener = ends
    teller.note("done", {"error": ValueError("no")})
    teller.send()

    assert listener.arrived()[0] == [("done", {"error": "no"})]


def test_a_descriptor_that_is_another_file_by_now_is_not_written_to(draft: int) -> None:
    ours, theirs = pair()
    with ours, theirs, Path(os.devnull).open() as other:
        teller = Teller(theirs, draft)
        os.dup2(other.fileno(), draft)

        with pytest.raises(DescriptorLostError):
            teller.note("report")


def test_an_offer_goes_to_the_worker_or_back() -> None:
    offers = Offers()
    for index in range(3):
        offers.offer(index, index + 1)

    claimed = [offers.claim(wait=False) for _ in range(4)]
    offers.close()

    assert claimed == [(0, 1), (1, 2), (2, 3), None]

"""What a worker says is heard once, whole and in order, by whatever way it comes first."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from pytest_yakei.descriptors import DescriptorLostError
from pytest_yakei.engine.files import Files
from pytest_yakei.engine.offers import Offer, Offers
from pytest_yakei.engine.slot import Slot
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


def test_what_is_sent_while_the_parent_looks_into_the_draft_is_heard_as_it_was_written(
    ends: tuple[Teller, Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of what it reads is of the first message, and half of one that stands there by then."""
    teller, listener = ends
    teller.note("first", "x" * 100)

    def torn(descriptor: int, size: int, at: int) -> bytes:
        monkeypatch.undo()
        begin = os.pread(descriptor, size // 2, at)
        teller.send()
        teller.note("other", "y" * 100)
        return begin + os.pread(descriptor, size - len(begin), at + len(begin))

    monkeypatch.setattr(os, "pread", torn)

    assert listener.unsent() == []
    assert listener.arrived()[0] == [("first", "x" * 100)]
    assert listener.unsent() == [("other", "y" * 100)]


class Words(str):
    """A text that is more than a text, as some libraries return."""

    __slots__ = ()


@pytest.mark.parametrize(
    ("value", "told"),
    [
        pytest.param(ValueError("no"), "no", id="an object"),
        pytest.param(Words("no"), "no", id="a kind of text"),
        pytest.param(HTTPStatus.OK, 200, id="a kind of number"),
        pytest.param({ValueError("no"): (Words("no"), None)}, {"no": ("no", None)}, id="inside"),
    ],
)
def test_what_is_no_plain_value_is_told_as_one(
    ends: tuple[Teller, Listener], value: object, told: object
) -> None:
    teller, listener = ends
    teller.note("done", {"error": value})
    teller.send()

    assert listener.arrived()[0] == [("done", {"error": told})]


def test_a_cycle_is_told_down_to_some_depth(ends: tuple[Teller, Listener]) -> None:
    teller, listener = ends
    cycle: list[object] = [ValueError("no")]
    cycle.append(cycle)
    teller.note("done", cycle)
    teller.send()

    ((_, told),) = listener.arrived()[0]
    assert str(told).startswith("['no', ['no', ['no', ")
    assert str(told).rstrip("]").endswith("'…'")


def test_a_descriptor_that_is_another_file_by_now_is_not_written_to(draft: int) -> None:
    ours, theirs = pair()
    with ours, theirs, Path(os.devnull).open() as other:
        teller = Teller(theirs, draft)
        os.dup2(other.fileno(), draft)

        with pytest.raises(DescriptorLostError):
            teller.note("report")


@pytest.fixture
def slot() -> Iterator[Slot]:
    """A slot without its processes."""
    (told, reports), (life, keepers) = pair(), pair()
    files = Files.create(capturing=False)
    slot = Slot("worker-1", life, Listener(told, files.draft), Offers(), files)
    with reports, keepers:
        yield slot
        slot.close()


@pytest.fixture
def worker(slot: Slot) -> Iterator[Offers]:
    """What the slot's worker claims its checks from."""
    offers = Offers(os.dup(slot.offers.fileno()))
    yield offers
    offers.close()


def test_an_offer_goes_to_the_worker_or_back(slot: Slot, worker: Offers) -> None:
    for index in range(3):
        slot.offer(Offer(index, index + 1))

    assert worker.claim(wait=False) == (0, 1)
    assert slot.take_back() == [1, 2]
    assert worker.claim(wait=False) is None
    assert slot.offered == [0]


def test_what_a_worker_waits_for_is_not_taken_back(slot: Slot, worker: Offers) -> None:
    slot.offer(Offer(0, 1))
    slot.is_awaited = True

    assert slot.take_back() == []
    assert worker.claim(wait=False) == (0, 1)


def test_threads_may_tell_at_once_and_nothing_is_lost(ends: tuple[Teller, Listener]) -> None:
    teller, listener = ends

    def tell(thread: int) -> None:
        for number in range(100):
            teller.note("property", thread, number)

    threads = [threading.Thread(target=tell, args=(each,)) for each in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    heard = listener.unsent()

    assert sorted(heard) == [("property", t, n) for t in range(8) for n in range(100)]

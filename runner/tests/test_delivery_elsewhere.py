"""Delivery that cannot go as it was meant: which channel hears what instead, and in which order."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import pytest
from outboxes import Outbox
from receivers import WRITTEN, a_message
from stations import Station, minutes, run

from yakei.incidents.remembered import Incident
from yakei.message import Message
from yakei.notifiers import DeliveryError

FIRST, SECOND, THIRD = (
    a_message(subject, created=WRITTEN + minutes(number))
    for number, subject in enumerate(("first", "second", "third"))
)


def failing(name: str = "failing") -> Station:
    """Return a channel that takes nothing in this run."""
    return Station(name, [DeliveryError("down")] * 9)


# Through another channel


def test_the_channel_to_turn_to_is_one_that_has_just_delivered() -> None:
    """One that nothing was tried through may be down as well."""
    outbox, untried, proven = Outbox(), Station("untried"), Station("proven")
    outbox.add(FIRST, "failing")
    outbox.add(SECOND, "proven")
    run(outbox, failing(), untried, proven)

    assert proven.subjects[:2] == ["second", "first"]
    assert untried.got == []


def test_what_goes_elsewhere_goes_oldest_first_whatever_channel_it_was_meant_for() -> None:
    outbox, working = Outbox(), Station("working")
    outbox.add(SECOND, "one")
    outbox.add(FIRST, "two")
    run(outbox, failing("one"), failing("two"), working)

    assert working.subjects[:2] == ["first", "second"]


def test_of_what_nobody_takes_the_newest_is_for_stdout_in_full() -> None:
    outbox = Outbox()
    outbox.add(SECOND, "one")
    outbox.add(FIRST, "two")
    report = run(outbox, failing("one"), failing("two"))

    assert [message.subject for message in report.untaken] == ["first", "second"]
    assert report.last_resort().startswith("second\n")


def test_a_slow_channel_gets_the_rest_of_what_goes_elsewhere_in_the_next_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else a run would last as long as there is something for a channel that is not its own."""
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])

    class Slow(Station):
        def notify(self, message: Message) -> None:
            clock[0] += 20
            super().notify(message)

    outbox, slow = Outbox(), Slow("slow")
    for message in (FIRST, SECOND, THIRD):
        outbox.add(message, "gone")
    run(outbox, slow)
    assert slow.subjects == ["first", "second"]
    assert outbox.waiting("gone") == ["third"]
    run(outbox, slow)

    assert slow.subjects == ["first", "second", "third"]


# Refused for good


def test_two_messages_that_are_refused_for_good_do_not_stand_before_the_newest() -> None:
    """The second refusal in a row ends the run: the newest has its try before that."""
    refused = DeliveryError("invalid", permanent=True)
    outbox, page = Outbox(), Station("page", [refused, None, refused])
    for message in (FIRST, SECOND, THIRD):
        outbox.add(message, "page")
    run(outbox, page)

    assert page.subjects == ["third"]
    assert outbox.waiting("page") == ["first", "second"]


@pytest.mark.parametrize(
    ("permanent", "hope"),
    [
        pytest.param(True, "It was refused for good: something has to be changed", id="for good"),
        pytest.param(False, "What is waiting is tried again in every run.", id="for now"),
    ],
)
def test_people_read_whether_a_channel_can_work_again_by_itself(permanent: bool, hope: str) -> None:
    outbox, other = Outbox(), Station("other")
    outbox.add(FIRST, "page", "other")
    run(outbox, Station("page", [DeliveryError("answered 4", permanent=permanent)]), other)

    note = other.got[-1]
    assert note.subject.endswith("page failed: answered 4; 1 message is waiting")
    assert hope in note.body


# How things stand


class Board(Station):
    """A channel that shows how things stand, or breaks over it."""

    is_broken = False
    showed = False

    def converse(self, message: Message, memory: dict[str, Any]) -> None:
        """Take a message and remember it."""
        self.notify(message)
        memory["last"] = message.subject

    def show(self, incidents: Iterable[Incident], now: datetime, memory: dict[str, Any]) -> None:
        """Remember that it was shown."""
        memory["last"] = "shown"
        if self.is_broken:
            raise KeyError("s3cr3t")
        self.showed = True


def test_a_bug_in_showing_how_things_stand_keeps_no_other_channel_from_it() -> None:
    """What the channel with the bug remembers is as it was before."""
    outbox, broken, sound = Outbox(), Board("broken"), Board("sound")
    broken.is_broken = True
    outbox.add(FIRST, "broken", "sound")
    report = run(outbox, broken, sound, incidents=[])

    assert (set(report.taken_by), sound.showed) == ({"broken", "sound"}, True)
    assert outbox.memory["conversations"] == {
        "broken": {"last": "first"},
        "sound": {"last": "shown"},
    }


def test_what_a_channel_says_of_its_failure_has_no_secret() -> None:
    """A program's own words may hold one that it was given by its own configuration."""
    outbox, other = Outbox(), Station("other")
    outbox.add(FIRST, "page")
    broken = Station("page", [DeliveryError("sh exited with 3: bad token open-sesame")] * 2)
    report = run(outbox, broken, other, redact=lambda text: text.replace("open-sesame", "…"))
    told = [each.body for each in other.got]

    assert outbox.marks == ["page failed: sh exited with 3: bad token …"]
    assert not any("open-sesame" in text for text in (*told, *map(str, report.failures)))

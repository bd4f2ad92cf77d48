"""Delivery over several runs: channels that ask to wait, are slow, or have much to catch up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from outboxes import Outbox
from receivers import WRITTEN, SlackApi, a_message, an_item, api_server
from stations import Station, minutes, run

from yakei.delivery import deliver
from yakei.incidents.remembered import Incident, Reason
from yakei.message import Message, Queued
from yakei.notifiers import DeliveryError, slack_bot
from yakei.notifiers.catching_up import as_sent
from yakei.results import Severity

DISK = a_message("[CRIT] app01 disk is full", "97 % of /var")


# Asked to wait


def asked_to_wait(seconds: float) -> tuple[Outbox, Station, Station]:
    """Return the outbox after a run in which a channel said how long it wants to be left alone."""
    outbox, other = Outbox(), Station("other")
    asking = Station("asking", [DeliveryError("answered 429", retry_after=seconds)])
    outbox.add(DISK, "asking", "other")
    run(outbox, asking, other)
    return outbox, asking, other


def test_a_channel_is_not_tried_before_the_time_that_it_asked_for() -> None:
    outbox, asking, other = asked_to_wait(600)
    for after in (5, 9.9):
        run(outbox, asking, other, after=minutes(after))
    assert asking.got == []
    run(outbox, asking, other, after=minutes(10))

    assert [one.subject for one in asking.got] == [DISK.subject]


def test_the_others_are_told_meanwhile() -> None:
    outbox, asking, other = asked_to_wait(600)
    outbox.add(a_message("queue is long", created=WRITTEN + minutes(5)), "asking", "other")
    report = run(outbox, asking, other, after=minutes(5))

    assert other.got[-1].subject == "queue is long"
    assert (report.taken_by, report.undelivered) == (("other",), False)
    assert str(report.failures[0]).startswith("asking failed: asked us to wait until ")


def test_what_only_that_channel_was_to_hear_goes_through_another() -> None:
    outbox, asking, other = asked_to_wait(600)
    outbox.add(a_message("queue is long", created=WRITTEN + minutes(5)), "asking")
    run(outbox, asking, other, after=minutes(5))

    assert other.got[-1].body.startswith("Sent here because asking failed: asked us to wait")
    assert asking.got == []


def test_a_channel_that_asked_to_wait_is_none_to_turn_to() -> None:
    outbox, asking, other = asked_to_wait(600)
    other.refusals = [DeliveryError("down")]
    outbox.add(a_message("queue is long", created=WRITTEN + minutes(5)), "other")
    report = run(outbox, asking, other, after=minutes(5))

    assert report.undelivered


def test_nobody_can_ask_for_more_than_an_hour() -> None:
    outbox, asking, other = asked_to_wait(999_999)
    run(outbox, asking, other, after=minutes(61))

    assert len(asking.got) == 1


def test_a_clock_that_was_set_back_makes_nobody_wait_for_days() -> None:
    outbox, asking, other = asked_to_wait(600)
    run(outbox, asking, other, after=-timedelta(days=1))

    assert len(asking.got) == 1


# Side by side


def test_a_slow_channel_delays_no_other() -> None:
    """The slow one takes nothing before the message of the quick one is marked as delivered."""
    marked = threading.Event()
    slow, quick = Station("slow", before=marked), Station("quick")

    class Watched(Outbox):
        def mark_delivered(self, rows: Any, at: datetime, memory: Any = None, /) -> None:
            super().mark_delivered(rows, at, memory)
            marked.set()

    outbox = Watched()
    outbox.add(DISK, "slow", "quick")
    run(outbox, slow, quick)

    assert outbox.marks == ["quick delivered", "slow delivered"]


# Catching up


def waiting(number: int, *names: str) -> Outbox:
    """Return an outbox in which so many messages wait, a minute apart, each about its own."""
    outbox = Outbox()
    for each in range(number):
        item = an_item(f"i{each}", fact=f"fact {each}")
        message = a_message(
            f"[WARN] app01 queue {each}: fact {each}",
            f"the text of {each}",
            severity=Severity.WARNING,
            created=WRITTEN + minutes(each),
            items=(item,),
        )
        outbox.add(message, *(names or ("page",)))
    return outbox


def test_nine_messages_are_nine() -> None:
    page = Station("page")
    run(waiting(9), page, after=minutes(9))

    assert len(page.got) == 9


def test_ten_messages_are_one_with_the_newest_in_full_and_a_line_for_each_other() -> None:
    page, outbox = Station("page"), waiting(10)
    run(outbox, page, after=minutes(10))

    (message,) = page.got
    assert message.subject == "[WARN] 10 late messages, the last: app01 queue 9: fact 9"
    assert "the text of 9" in message.body
    assert [f"queue {each}: fact {each}" in message.body for each in range(10)] == [True] * 10
    assert outbox.waiting("page") == []


def test_each_of_many_is_marked_only_when_the_one_was_taken() -> None:
    page, outbox = Station("page", [DeliveryError("down")]), waiting(10)
    run(outbox, page, after=minutes(10))
    assert len(outbox.waiting("page")) == 10
    run(outbox, page, after=minutes(15))

    assert outbox.waiting("page") == []
    assert len(page.got) == 1


def test_a_thousand_messages_are_five_and_none_is_lost() -> None:
    page, outbox = Station("page"), waiting(1000)
    run(outbox, page, after=minutes(1000))

    told = "\n".join(message.subject + message.body for message in page.got)
    assert len(page.got) == 5
    assert [each for each in range(1000) if f"queue {each}: fact {each}\n" not in told] == []
    assert max(len(message.body) for message in page.got) < 30_000


def test_one_message_that_spoils_all_is_found_and_the_others_arrive() -> None:
    too_long = DeliveryError("msg_too_long", permanent=True)
    page, outbox = Station("page", [too_long, None, too_long]), waiting(12)
    run(outbox, page, after=minutes(12))

    assert outbox.waiting("page") == ["[WARN] app01 queue 0: fact 0"]
    numbers = [int(message.subject.split()[-1]) for message in page.got[:11]]
    assert sorted(numbers) == list(range(1, 12))
    assert numbers[0] == 11


def test_a_channel_that_is_gone_is_tried_twice_for_a_thousand_messages() -> None:
    page = Station("page", [DeliveryError("gone", permanent=True)] * 9)
    run(waiting(1000), page, after=minutes(1000))

    assert len(page.refusals) == 7


def test_what_waits_for_two_channels_reaches_people_through_the_one_that_works() -> None:
    page, other, outbox = (
        Station("page", [DeliveryError("down")]),
        Station("other"),
        waiting(10, "page", "other"),
    )
    report = run(outbox, page, other, after=minutes(10))

    assert (report.taken_by, report.untaken) == (("other",), ())
    assert str(report.failures[0]) == "page failed: down; 10 messages are waiting"


def test_the_one_message_has_the_last_word_on_each_incident_the_worst_first() -> None:
    rows = waiting(10).pending("page")
    last = an_item("i0", Reason.RECOVERED, severity=Severity.WARNING)
    message = a_message("[OK] app01 queue 0", created=WRITTEN + minutes(10), items=(last,))
    merged = as_sent([*rows, Queued(99, message, message.created)], WRITTEN + minutes(11))

    reasons = {item.incident: item.reason for item in merged.items}
    assert (reasons["i0"], len(merged.items)) == (Reason.RECOVERED, 10)
    assert merged.items[-1].incident == "i0"


# Conversations


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[SlackApi, slack_bot.SlackBot]]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    slack = SlackApi()
    with api_server(slack) as server:
        settings = slack_bot.Settings(
            token="xoxb-1234-5678-S3cr3tOfTheBot", channel="#alerts", api=f"{server.address}/api"
        )
        yield slack, slack_bot.notifier("bot", settings)


Workspace = tuple[SlackApi, slack_bot.SlackBot]


def about(reason: Reason, after: timedelta = timedelta(0)) -> Message:
    return a_message(str(reason), created=WRITTEN + after, items=(an_item(reason=reason),))


def test_what_a_channel_remembers_is_kept_with_the_mark(workspace: Workspace) -> None:
    slack, bot = workspace
    outbox = Outbox()
    outbox.add(about(Reason.NEW), "bot")
    run(outbox, bot)
    outbox.add(about(Reason.REMINDER, minutes(60)), "bot")
    run(outbox, bot, after=minutes(60))

    (post,) = slack.posts
    assert len(slack.replies(post)) == 1
    assert "S3cr3t" not in str(outbox.memory)


def test_a_crash_before_the_mark_repeats_one_post_once(workspace: Workspace) -> None:
    slack, bot = workspace
    outbox = Outbox(full=True)
    outbox.add(about(Reason.NEW), "bot")
    with pytest.raises(OSError, match="No space left"):
        run(outbox, bot)
    outbox.full = False
    for after in (5, 10):
        run(outbox, bot, after=minutes(after))

    assert len(slack.messages) == 2


def test_a_failure_halfway_keeps_what_was_taken(workspace: Workspace) -> None:
    slack, bot = workspace
    outbox = Outbox()
    outbox.add(about(Reason.NEW), "bot")
    run(outbox, bot)
    two = (an_item("i2"), an_item(reason=Reason.REMINDER))
    outbox.add(a_message("two", created=WRITTEN + minutes(60), items=two), "bot")
    with fails_after(slack, 1):
        run(outbox, bot, after=minutes(60))
    run(outbox, bot, after=minutes(65))

    assert [len(slack.replies(post)) for post in slack.posts] == [1, 0]
    assert outbox.waiting("bot") == []


class fails_after:  # noqa: N801 - it reads as a function
    """Lets a workspace take so many calls and refuse the others, while the block lasts."""

    def __init__(self, slack: SlackApi, calls: int) -> None:
        self.slack, self.calls = slack, calls

    def __enter__(self) -> None:
        self.slack.calls = self.calls

    def __exit__(self, *_: object) -> None:
        self.slack.calls = None


def test_posts_show_what_is_over_though_nothing_is_told(workspace: Workspace) -> None:
    slack, bot = workspace
    outbox = Outbox()
    outbox.add(about(Reason.NEW), "bot")
    run(outbox, bot, incidents=[])

    assert slack.posts[0].shown.startswith(":white_check_mark:")
    assert outbox.memory["conversations"] == {"bot": {"posts": []}}


def test_an_open_incident_s_post_is_left_as_it_is(workspace: Workspace) -> None:
    slack, bot = workspace
    outbox = Outbox()
    outbox.add(about(Reason.NEW), "bot")
    known: dict[str, Any] = {"label": "q", "fact": "long", "severity": Severity.CRITICAL}
    incident = Incident(key="k", id="i1", since=WRITTEN, last_failure=WRITTEN, **known)
    run(outbox, bot, incidents=[incident])

    assert slack.posts[0].edits == 0


def test_a_channel_that_is_no_longer_configured_is_forgotten(workspace: Workspace) -> None:
    _, bot = workspace
    outbox = Outbox()
    outbox.add(about(Reason.NEW), "bot")
    run(outbox, bot)
    run(outbox, Station("other"), after=minutes(5))

    assert outbox.memory["conversations"] == {}


def test_a_channel_that_cannot_be_used_for_now_goes_on_with_its_thread(
    workspace: Workspace,
) -> None:
    _, bot = workspace
    outbox = Outbox()
    outbox.add(about(Reason.NEW), "bot")
    run(outbox, bot)
    known = outbox.memory["conversations"]
    later = WRITTEN + minutes(5)
    deliver(outbox, [Station("other")], later, configured=["bot", "other"])

    assert outbox.memory["conversations"] == known != {}


class Confused(Station):
    """A channel that remembers what it has said, and has a bug where it brings that up to date."""

    def converse(self, message: Message, memory: dict[str, Any]) -> None:
        """Take a message."""
        self.notify(message)
        memory["said"] = message.subject

    def show(self, incidents: object, now: datetime, memory: dict[str, Any]) -> None:
        """Stumble."""
        raise KeyError(now)


def test_a_bug_where_a_channel_shows_how_things_stand_is_told_by_another() -> None:
    outbox, other = Outbox(), Station("other")
    outbox.add(DISK, "confused")
    report = run(outbox, Confused("confused"), other, incidents=[])

    (told,) = other.got
    assert "confused failed: could not show how things stand: KeyError." in told.body
    assert (report.taken_by, report.undelivered) == (("confused",), False)
    assert outbox.memory["conversations"] == {"confused": {"said": DISK.subject}}


def test_a_run_with_nothing_to_tell_writes_nothing(workspace: Workspace) -> None:
    _, bot = workspace
    outbox = Outbox()
    run(outbox, bot, incidents=[])
    writes = outbox.writes
    run(outbox, bot, incidents=[], after=minutes(5))

    assert outbox.writes == writes

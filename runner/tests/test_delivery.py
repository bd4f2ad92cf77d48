"""The delivery of what is due, by real channels to real receivers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from outboxes import Outbox
from receivers import (
    SILENCE,
    WRITTEN,
    MailServer,
    Reply,
    WebServer,
    a_message,
    slack_server,
)

from yakei.delivery import DeliveryReport, deliver, direct
from yakei.message import Message
from yakei.notifiers import Notifier, email, slack

DISK = a_message("disk is full", "97 % of /var")
QUEUE = a_message("queue is long", "1396 rows", created=WRITTEN + timedelta(seconds=1))
DOWN = Reply(500, "rollup_error")
GONE = Reply(404, "no_service")


@dataclass
class Site:
    """Two channels with their receivers, and what waits for them."""

    slack: WebServer
    mail: MailServer
    outbox: Outbox = field(default_factory=Outbox)

    @property
    def channels(self) -> list[Notifier]:
        """Return both channels, Slack first and impatient."""
        webhook = f"{self.slack.address}/services/x"
        relay = f"smtp://127.0.0.1:{self.mail.port}"
        return [
            slack.notifier("slack", slack.Settings(webhook=webhook, timeout=timedelta(seconds=1))),
            email.notifier("email", email.Settings(to=("ops@example.com",), smtp=relay)),
        ]

    def run(self, after: timedelta = timedelta(0)) -> DeliveryReport:
        """Deliver, so long after the messages were written."""
        return deliver(self.outbox, self.channels, WRITTEN + after)

    @property
    def mails(self) -> list[str]:
        """Return the subjects of the mails that arrived."""
        return [str(mail.message["Subject"]) for mail in self.mail.mails]

    @property
    def posts(self) -> list[str]:
        """Return the texts that Slack was sent, taken or not."""
        return [request.json["text"] for request in self.slack.requests]

    def refuse_mail(self) -> None:
        """Let the mail server take nothing for now."""
        self.mail.refused["ops@example.com"] = "450 4.2.0 try later"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with slack_server() as web, MailServer() as mail:
        yield Site(web, mail)


# What is taken


def test_what_waits_is_sent_oldest_first_and_marked(site: Site) -> None:
    for message in (DISK, QUEUE):
        site.outbox.add(message, "slack", "email")
    report = site.run()

    assert site.mails == ["disk is full", "queue is long"]
    assert site.outbox.waiting("slack") == site.outbox.waiting("email") == []
    assert (set(report.taken_by), report.undelivered) == ({"slack", "email"}, False)


def test_nothing_is_sent_when_nothing_waits(site: Site) -> None:
    assert site.run() == DeliveryReport()
    assert site.mails == site.posts == []


def test_a_message_that_is_late_says_so_in_its_first_line(site: Site) -> None:
    site.outbox.add(DISK, "email")
    site.run(after=timedelta(hours=2, minutes=10))

    first, *_, last = site.mail.mails[0].text.splitlines()
    assert first.startswith("Late by 2 h 10 min: this was written at ")
    assert last == "97 % of /var"


def test_a_message_that_is_on_time_says_nothing_of_it(site: Site) -> None:
    site.outbox.add(DISK, "email")
    site.run(after=timedelta(seconds=30))

    assert site.mail.mails[0].text.splitlines() == ["97 % of /var"]


def test_a_crash_before_the_mark_repeats_a_message_and_loses_none(site: Site) -> None:
    site.outbox.add(DISK, "email")
    site.outbox.full = True
    with pytest.raises(OSError, match="No space left"):
        site.run()
    site.outbox.full = False
    site.run()

    assert site.mails == ["disk is full"] * 2


# A channel that fails


def test_a_channel_that_fails_keeps_its_messages_and_delays_nobody(site: Site) -> None:
    site.outbox.add(DISK, "slack", "email")
    site.slack.script = [SILENCE]
    report = site.run()

    assert site.outbox.marks == ["email delivered", "slack failed: no answer within 1 s"]
    assert site.outbox.waiting("slack") == ["disk is full"]
    assert (report.taken_by, report.undelivered) == (("email",), False)


def test_a_channel_is_not_hammered_once_it_has_failed(site: Site) -> None:
    for message in (DISK, QUEUE):
        site.outbox.add(message, "slack")
    site.slack.script = [DOWN]
    site.run()

    assert len(site.posts) == 1


def test_a_message_that_is_refused_for_good_does_not_stand_before_the_newest(site: Site) -> None:
    for message in (DISK, QUEUE):
        site.outbox.add(message, "slack")
    site.slack.script = [Reply(400, "invalid_blocks")]
    report = site.run()

    assert site.outbox.waiting("slack") == ["disk is full"]
    assert report.taken_by == ("slack",)


def test_a_channel_that_is_gone_is_tried_twice_and_not_for_every_message(site: Site) -> None:
    for message in (DISK, QUEUE, DISK, QUEUE):
        site.outbox.add(message, "slack")
    site.slack.script = [GONE] * 4
    site.run()

    assert len(site.posts) == 2


def test_a_bug_in_one_channel_is_its_failure_and_no_other_s(site: Site) -> None:
    class Broken:
        name = "broken"

        def notify(self, message: Message) -> None:
            raise KeyError("s3cr3t")

    for channel in ("broken", "email"):
        site.outbox.add(DISK, channel)
    report = deliver(site.outbox, [Broken(), *site.channels], WRITTEN)

    assert site.mails[0] == "disk is full"
    assert "stopped with an unexpected KeyError" in str(report.failures[0])
    assert "s3cr3t" not in f"{report} {site.mails} {site.outbox.marks}"


def test_a_recipient_that_is_refused_is_said_to_the_others(site: Site) -> None:
    site.outbox.add(DISK, "email")
    channel = email.notifier(
        "email",
        email.Settings(
            to=("ops@example.com", "gone@example.com"), smtp=f"smtp://127.0.0.1:{site.mail.port}"
        ),
    )
    site.mail.refused["gone@example.com"] = "550 5.1.1 no such user"
    deliver(site.outbox, [channel], WRITTEN)

    assert site.outbox.waiting("email") == []
    assert site.mails[1].startswith("yakei: email did not reach everybody: refused 1 of the")


# Telling of it


NOTE = "yakei: slack failed: answered 500 rollup_error; 1 message is waiting"


def failing_runs(site: Site, *after: timedelta) -> list[str]:
    """Return what mail says of a channel that fails in each of these runs."""
    site.outbox.add(DISK, "slack", "email")
    for moment in after:
        site.slack.script = [DOWN]
        site.run(moment)
    return [mail for mail in site.mails if mail.startswith("yakei:")]


def test_a_channel_that_begins_to_fail_is_told_through_another(site: Site) -> None:
    assert failing_runs(site, timedelta(0)) == [NOTE]


def test_a_channel_that_goes_on_failing_is_told_once_a_day(site: Site) -> None:
    hours = [timedelta(hours=hours) for hours in (0, 1, 23, 24, 25)]

    assert failing_runs(site, *hours) == [NOTE, NOTE]


def test_a_channel_that_fails_again_after_it_worked_is_told_again(site: Site) -> None:
    failing_runs(site, timedelta(0))
    site.run(timedelta(minutes=5))
    assert site.outbox.waiting("slack") == []

    assert failing_runs(site, timedelta(minutes=10)) == [NOTE, NOTE]


def test_a_failure_that_nobody_could_be_told_of_is_told_when_a_channel_works(site: Site) -> None:
    site.refuse_mail()
    assert failing_runs(site, timedelta(0)) == []
    site.mail.refused.clear()
    site.slack.script = [DOWN]
    site.run(timedelta(minutes=5))

    assert NOTE in site.mails


def test_the_host_is_named_in_what_is_told(site: Site) -> None:
    site.outbox.add(DISK, "slack", "email")
    site.slack.script = [DOWN]
    deliver(site.outbox, site.channels, WRITTEN, host="app01")

    assert site.mails[-1].startswith("[WARN] app01 yakei: slack failed: ")


# The next channel


def test_what_its_channel_does_not_take_goes_through_the_next_that_works(site: Site) -> None:
    site.outbox.add(DISK, "slack")
    site.slack.script = [DOWN]
    report = site.run()

    assert site.mails == ["disk is full"]
    assert "Sent here because slack failed: answered 500" in site.mail.mails[0].text
    assert (report.taken_by, report.undelivered) == (("email",), False)


def test_what_went_elsewhere_goes_there_once_and_still_waits_for_its_channel(site: Site) -> None:
    site.outbox.add(DISK, "slack")
    site.slack.script = [DOWN, DOWN]
    reports = [site.run(timedelta(minutes=minutes)) for minutes in (0, 5, 10)]

    assert site.mails == ["disk is full"]
    assert [report.undelivered for report in reports] == [False] * 3
    assert site.outbox.waiting("slack") == []


def test_what_another_channel_took_is_not_undelivered_later(site: Site) -> None:
    site.outbox.add(DISK, "slack", "email")
    site.slack.script = [DOWN, DOWN]
    site.run()

    assert not site.run(timedelta(minutes=5)).undelivered


def test_what_waits_for_a_channel_that_is_gone_reaches_people_once_by_another(site: Site) -> None:
    site.outbox.add(DISK, "pager")
    reports = [site.run(), site.run()]

    (post,) = site.posts
    assert "Sent here because pager is not configured any more." in post
    assert (site.mails, site.outbox.waited_for()) == ([], [])
    assert not any(report.undelivered for report in reports)


def test_what_waits_for_a_channel_that_is_gone_waits_for_one_that_works(site: Site) -> None:
    site.outbox.add(DISK, "pager")
    site.slack.script = [DOWN]
    site.refuse_mail()
    report = site.run()

    assert report.undelivered
    assert site.outbox.waiting("pager") == ["disk is full"]


def test_what_another_channel_took_before_its_own_was_gone_is_not_said_again(site: Site) -> None:
    site.outbox.add(DISK, "slack")
    site.slack.script = [DOWN]
    site.run()
    deliver(site.outbox, site.channels[1:], WRITTEN + timedelta(minutes=5))

    assert site.mails == ["disk is full"]
    assert site.outbox.waited_for() == []


def test_what_went_elsewhere_is_remembered_while_its_channel_cannot_be_used(site: Site) -> None:
    """As when one run does not find the channel's secret."""
    site.outbox.add(DISK, "slack")
    site.slack.script = [DOWN, DOWN]
    site.run()
    usable, names = site.channels[1:], ("slack", "email")
    deliver(site.outbox, usable, WRITTEN + timedelta(minutes=5), configured=names)
    site.run(timedelta(minutes=10))

    assert site.mails == ["disk is full"]
    assert site.outbox.waiting("slack") == ["disk is full"]


# Nobody takes it


def test_what_nobody_takes_is_for_stdout(site: Site) -> None:
    for message in (DISK, QUEUE):
        site.outbox.add(message, "slack", "email")
    site.slack.script = [DOWN]
    site.refuse_mail()
    report = site.run()

    subject, _, body, _, older, *failures = report.last_resort().splitlines()
    assert (subject, body, older) == (
        "queue is long",
        "1396 rows",
        "Also undelivered: disk is full",
    )
    assert failures[0] == "slack failed: answered 500 rollup_error; 2 messages are waiting"


def test_what_nobody_took_is_undelivered_until_somebody_does(site: Site) -> None:
    site.outbox.add(DISK, "slack")
    site.refuse_mail()
    site.slack.script = [DOWN, DOWN]
    later = [timedelta(minutes=minutes) for minutes in (0, 5, 10)]

    assert [site.run(after).undelivered for after in later] == [True, True, False]


# Without a state


def test_without_a_state_a_message_goes_through_every_channel(site: Site) -> None:
    report = direct(site.channels, DISK)

    assert site.mails == ["disk is full"]
    assert (set(report.taken_by), report.undelivered) == ({"slack", "email"}, False)


def test_without_a_state_one_channel_is_enough(site: Site) -> None:
    site.slack.script = [GONE]
    report = direct(site.channels, DISK)

    assert (report.taken_by, report.undelivered) == (("email",), False)


def test_without_a_channel_a_message_is_for_stdout() -> None:
    report = direct([], DISK)

    assert report.last_resort() == "disk is full\n\n97 % of /var\n"

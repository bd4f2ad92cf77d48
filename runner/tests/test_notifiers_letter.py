"""What a mail looks like: its headers, its thread, and its page of HTML."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import replace
from datetime import timedelta
from email.policy import SMTP

import pytest
from receivers import WRITTEN, a_message, an_item

from yakei.incidents.remembered import Reason
from yakei.message import Item
from yakei.notifiers.letter import compose
from yakei.results import Severity

OPS = ("ops@example.com",)
SENDER = "yakei@example.com"


def test_a_message_that_is_sent_again_keeps_its_message_id() -> None:
    bodies = ("now", "late\n\nnow")
    first, again = (compose(a_message(body=text), SENDER, OPS) for text in bodies)

    assert first["Message-ID"] == again["Message-ID"]


def test_two_messages_of_one_run_have_two_message_ids() -> None:
    one, other = (compose(a_message(subject=text), SENDER, OPS) for text in ("disk", "queue"))

    assert one["Message-ID"] != other["Message-ID"]


# Headers


@pytest.mark.parametrize(
    "subject",
    [
        "x" * 250,
        "[CRIT] app01 " + "y" * 100,
        "夜警" * 60,
        "a " * 100,
        "1396 < 1000",
        *("[CRIT] app01 queue " + "orders " * 6 + "z" * number for number in range(5, 20)),
    ],
)
def test_headers_are_folded_at_78_characters_and_read_as_they_were(subject: str) -> None:
    items = tuple(an_item(f"i{number}") for number in range(50))
    message = a_message(subject, items=items)
    mail = compose(message, SENDER, tuple(f"user{number}@example.com" for number in range(20)))
    raw = mail.as_bytes()
    head = raw.partition(b"\n\n")[0].decode("ascii").split("\n")
    read = email.message_from_bytes(raw, policy=email.policy.default)

    assert max(map(len, head)) <= 78
    assert all(line.strip() for line in head)
    assert not [line for line in head if line.strip() == "Subject:"]
    assert read["Subject"] == subject.strip()


# Threads


def thread_of(*items: Item, body: str = "x", subject: str = "s") -> tuple[str, list[str]]:
    """Return what a mail about these refers to: its parent, and all of its thread's roots."""
    mail = compose(a_message(subject, body, items=items), SENDER, OPS)
    return str(mail["In-Reply-To"]), str(mail["References"]).split()


def test_all_mails_about_an_incident_have_the_same_root() -> None:
    reasons = (Reason.NEW, Reason.REMINDER, Reason.WORSE, Reason.RECOVERED)
    threads = {str(thread_of(an_item("a1", each), subject=each)) for each in reasons}

    assert len(threads) == 1


def test_the_root_is_no_mail_so_that_none_is_taken_for_another() -> None:
    """Two channels may tell of one incident in different words; both must arrive."""
    mail = compose(a_message(items=(an_item(),)), SENDER, OPS)

    assert mail["In-Reply-To"] == mail["References"] != mail["Message-ID"]


def test_incidents_and_hosts_have_threads_of_their_own() -> None:
    here = a_message(items=(an_item("a1"),))
    mails = [here, replace(here, host="app02"), replace(here, items=(an_item("a2"),))]

    assert len({str(compose(each, SENDER, OPS)["References"]) for each in mails}) == 3


def test_an_incident_without_an_id_is_known_by_its_check_and_beginning() -> None:
    first, again = (thread_of(an_item("", since=WRITTEN)) for _ in range(2))
    later = thread_of(an_item("", since=WRITTEN + timedelta(hours=1)))

    assert first == again != later


def test_a_mail_about_several_is_in_the_thread_of_each_with_the_worst_as_its_parent() -> None:
    (worst,), (other,) = thread_of(an_item("a1"))[1], thread_of(an_item("a2"))[1]

    assert thread_of(an_item("a1"), an_item("a2")) == (worst, [other, worst])


def test_a_storm_has_a_header_of_bearable_length() -> None:
    assert len(thread_of(*(an_item(f"i{number}") for number in range(500)))[1]) == 20


def test_a_mail_about_no_incident_is_in_no_thread() -> None:
    mail = compose(a_message(), SENDER, OPS)

    assert mail["References"] is mail["In-Reply-To"] is None


# HTML


def html_of(body: str = "b", subject: str = "s", severity: Severity = Severity.CRITICAL) -> str:
    """Return the page that a mail program shows."""
    mail = compose(a_message(subject, body, severity=severity), SENDER, OPS)
    part = mail.get_body(("html",))
    assert part
    return str(part.get_content())


def test_the_page_shows_what_the_text_says() -> None:
    page = html_of("1396 < 1000\n  two\n", "disk & queue")

    assert "disk &amp; queue" in page
    assert "1396 &lt; 1000\n  two\n</pre>" in page


def test_data_is_no_markup() -> None:
    page = html_of("<script>alert(1)</script>", "<img src=x onerror=alert(1)>")

    assert "<script" not in page
    assert "<img" not in page


def test_a_link_leads_where_it_says() -> None:
    page = html_of('see https://wiki.example.com/q?a=1&b=2"onclick=x (or http://x.test/).')

    assert '<a href="https://wiki.example.com/q?a=1&amp;b=2">https://wiki.example.com/q?a=1' in page
    assert '<a href="http://x.test/">http://x.test/</a>).' in page
    assert "javascript" not in html_of("javascript:alert(1)").partition("<pre")[0]


@pytest.mark.parametrize("severity", Severity)
def test_the_page_loads_nothing_and_leaves_text_and_ground_to_the_reader(
    severity: Severity,
) -> None:
    page = html_of(severity=severity)
    colours = re.findall(r"#[0-9a-f]{6}", page)

    assert not re.search(r"src=|url\(|<link|<style|background|[^-]color:", page)
    assert len(colours) == 1
    assert 'name="color-scheme" content="light dark"' in page


@pytest.mark.parametrize("body", ["x" * 60_000, "夜" * 20_000, "<" * 60_000, "夜\n" * 15_000])
def test_a_mail_of_any_text_has_at_most_64_kilobytes_and_both_ends_of_it(body: str) -> None:
    mail = compose(a_message(body=f"begin {body} end"), SENDER, OPS)
    text = mail.get_body(("plain",))
    assert text

    assert len(mail.as_bytes(policy=SMTP)) <= 64_000
    assert text.get_content().startswith("begin ")
    assert text.get_content().endswith(" end\n")

"""Slack by a bot's token: its posts, their threads, and how they show what becomes of them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from receivers import WRITTEN, Reply, a_message, an_item, refused
from slack_talks import LATER, Talk

from yakei.incidents.remembered import Acknowledgement, Incident, Reason
from yakei.notifiers import DeliveryError
from yakei.results import Severity

MUCH_LATER = WRITTEN + timedelta(hours=3)


def an_incident(incident: str = "i1", **more: Any) -> Incident:
    known = {"label": "queue", "fact": "long", "severity": Severity.CRITICAL}
    times = {"since": WRITTEN, "last_failure": WRITTEN}
    return Incident(key=f"key of {incident}", id=incident, **known, **times, **more)


# Posts and threads


def test_a_new_incident_is_a_post_with_the_whole_text(talk: Talk) -> None:
    talk.tell(an_item())

    assert talk.said == [("1 things\nthe whole text", [])]
    assert "```\nthe whole text\n```" in talk.posts[0].shown


def test_the_incidents_of_one_run_are_one_post(talk: Talk) -> None:
    talk.tell(an_item("i1"), an_item("i2"))

    assert len(talk.slack.messages) == 1


def test_a_reminder_goes_to_the_thread_and_the_post_says_how_it_stands(talk: Talk) -> None:
    talk.tell(an_item())
    talk.tell(an_item(reason=Reason.REMINDER, runs=12), at=LATER, body="still")

    (post,) = talk.posts
    assert [reply.text for reply in talk.slack.replies(post)] == ["1 things\nstill"]
    assert "*still failing* 2010-01-18 04:05 +0000" in post.shown
    assert "the whole text" in post.shown


@pytest.mark.parametrize(
    ("reason", "state", "loud"),
    [
        (Reason.REMINDER, "still failing", True),
        (Reason.WORSE, "worse", True),
        (Reason.ESCALATED, "told to more people", True),
        (Reason.CHANGED, "failing in another way", False),
        (Reason.FLAPPING, "flapping", False),
        (Reason.RECOVERED, "recovered", False),
    ],
)
def test_the_channel_sees_of_a_thread_what_somebody_has_to_act_on(
    talk: Talk, reason: Reason, state: str, loud: bool
) -> None:
    talk.tell(an_item())
    talk.tell(an_item(reason=reason), at=LATER)

    (post,) = talk.posts
    assert state in post.shown
    assert [reply.loud for reply in talk.slack.replies(post)] == [loud]


def test_a_post_whose_incidents_are_over_is_green_and_forgotten(talk: Talk) -> None:
    talk.tell(an_item())
    talk.tell(an_item(reason=Reason.RECOVERED), at=LATER)

    assert talk.posts[0].shown.startswith(":white_check_mark: *1 things*")
    assert talk.memory == {"posts": []}


def test_a_thread_has_one_reply_for_all_of_its_incidents(talk: Talk) -> None:
    talk.tell(an_item("i1"), an_item("i2"))
    reminders = [an_item(one, Reason.REMINDER) for one in ("i1", "i2")]
    talk.tell(*reminders, at=LATER)

    assert [len(replies) for _, replies in talk.said] == [1]


def test_what_is_new_among_the_old_is_a_post_and_the_thread_gets_its_own_lines(talk: Talk) -> None:
    talk.tell(an_item("i1"))
    talk.tell(an_item("i2"), an_item("i1", Reason.WORSE, fact="2000 waiting"), at=LATER)

    first, second = talk.posts
    (reply,) = talk.slack.replies(first)
    assert reply.shown == ":red_circle: queue i1: 2000 waiting - *worse*, 1 run"
    assert second.text.startswith("2 things")
    assert talk.slack.replies(second) == []


def test_each_incident_goes_on_in_the_thread_of_its_own_post(talk: Talk) -> None:
    talk.tell(an_item("i1"))
    talk.tell(an_item("i2"), at=LATER)
    talk.tell(an_item("i1", Reason.REMINDER), an_item("i2", Reason.REMINDER), at=MUCH_LATER)

    assert [len(replies) for _, replies in talk.said] == [1, 1]


def test_a_recovery_in_a_post_of_two_leaves_the_other_red(talk: Talk) -> None:
    talk.tell(an_item("i1"), an_item("i2"))
    talk.tell(an_item("i1", Reason.RECOVERED), at=LATER)

    heading, first, second, *_ = talk.posts[0].shown.splitlines()
    assert heading.startswith(":red_circle:")
    assert "queue i2" in first
    assert "failing* 2010-01-18 03:05" in first
    assert "queue i1" in second
    assert "recovered* 2010-01-18 04:05" in second


def test_what_a_post_has_no_room_for_goes_to_its_thread_at_once(talk: Talk) -> None:
    talk.tell(an_item(), body="\n".join(f"line {number}" for number in range(900)))

    (post,) = talk.posts
    (reply,) = talk.slack.replies(post)
    assert post.shown.count("```") == 2
    assert "line 899" in reply.shown
    assert not reply.loud


def test_what_tells_of_no_incident_stands_by_itself(talk: Talk) -> None:
    talk.tell()
    talk.tell(at=LATER)

    assert len(talk.posts) == 2
    assert talk.memory == {}


def test_a_note_is_posted_and_not_remembered(talk: Talk) -> None:
    talk.tell(an_item(reason=Reason.MISSED_RUNS))

    assert len(talk.posts) == 1
    assert talk.memory == {"posts": []}


def test_five_hundred_incidents_are_one_post_of_one_screen(talk: Talk) -> None:
    items = [an_item(f"i{number}") for number in range(500)]
    talk.tell(*items)
    talk.tell(*(an_item(one.incident, Reason.RECOVERED) for one in items[:499]), at=LATER)

    (post,) = talk.posts
    assert len(post.shown.splitlines()) < 25
    assert "and 485 more: 0 failing, 485 over" in post.shown
    assert len(talk.slack.replies(post)) == 1


# How things stand


def test_an_acknowledgement_is_shown_without_a_word_to_anybody(talk: Talk) -> None:
    talk.tell(an_item())
    known = Acknowledgement(incident="i1", reason="on it", by="ops", at=LATER)
    talk.show(an_incident(acknowledged=known))

    assert "*acknowledged by ops* 2010-01-18 04:05" in talk.posts[0].shown
    assert len(talk.slack.messages) == 1


def test_an_end_that_nobody_is_told_of_is_shown(talk: Talk) -> None:
    """Without `recovery = true` people hear nothing; the post must not say `failing` for ever."""
    talk.tell(an_item())
    talk.show()

    assert talk.posts[0].shown.startswith(":white_check_mark:")
    assert talk.memory == {"posts": []}


def test_what_stands_as_it_did_is_not_written_again(talk: Talk) -> None:
    talk.tell(an_item())
    talk.show(an_incident())
    talk.show(an_incident())

    assert talk.posts[0].edits == 0


def test_an_update_that_fails_is_made_by_a_later_run(talk: Talk) -> None:
    talk.tell(an_item())
    talk.server.script = [refused("internal_error")]
    talk.show()
    assert talk.posts[0].edits == 0
    talk.show()

    assert talk.posts[0].shown.startswith(":white_check_mark:")


def test_a_workspace_without_edits_has_its_threads_all_the_same(talk: Talk) -> None:
    talk.tell(an_item())
    ok = Reply(200, json.dumps({"ok": True, "ts": "1"}))
    talk.server.script = [ok, refused("edit_window_closed")]
    talk.tell(an_item(reason=Reason.REMINDER), at=LATER)
    talk.show(an_incident())

    methods = [request.path.rpartition(".")[2] for request in talk.server.requests]
    assert methods == ["postMessage", "postMessage", "update"]


# Posts that are gone


def test_a_post_that_was_deleted_is_posted_anew(talk: Talk) -> None:
    talk.tell(an_item())
    talk.slack.delete(talk.posts[0])
    talk.tell(an_item(reason=Reason.REMINDER), at=LATER, body="still")
    talk.tell(an_item(reason=Reason.WORSE), at=MUCH_LATER)

    (post,) = talk.posts
    assert "```\nstill\n```" in post.shown
    assert len(talk.slack.replies(post)) == 1


def test_a_post_that_cannot_be_updated_any_more_is_posted_anew(talk: Talk) -> None:
    talk.tell(an_item())
    taken = Reply(200, json.dumps({"ok": True, "ts": "1"}))
    talk.server.script = [taken, refused("message_not_found")]
    talk.tell(an_item(reason=Reason.WORSE), at=LATER, body="worse")

    assert [text for text, _ in talk.said] == ["1 things\nthe whole text", "1 things\nworse"]


def test_a_deleted_thread_beside_a_new_post_costs_no_second_one(talk: Talk) -> None:
    talk.tell(an_item("i1"))
    talk.slack.delete(talk.posts[0])
    talk.tell(an_item("i2"), an_item("i1", Reason.WORSE), at=LATER)
    talk.tell(an_item("i1", Reason.RECOVERED), at=MUCH_LATER)

    assert [len(replies) for _, replies in talk.said] == [1]


# Failures on the way


def test_what_was_taken_before_a_failure_is_not_repeated(talk: Talk) -> None:
    talk.tell(an_item("i1"))
    items = (an_item("i2"), an_item("i1", Reason.REMINDER))
    posted = Reply(200, json.dumps({"ok": True, "ts": "2", "channel": "C024BE91L"}))
    talk.server.script = [posted, refused("internal_error")]
    talk.fail_to_tell(*items, at=LATER)
    before = len(talk.server.requests)
    talk.tell(*items, at=LATER)

    methods = [request.path.rpartition(".")[2] for request in talk.server.requests[before:]]
    assert methods == ["postMessage", "update"]
    assert [len(replies) for _, replies in talk.said] == [1]


def test_the_rest_of_a_long_text_is_sent_when_slack_takes_it(talk: Talk) -> None:
    message = a_message(body="x\n" * 4_000, items=(an_item(),))
    posted = Reply(200, json.dumps({"ok": True, "ts": "2", "channel": "C024BE91L"}))
    talk.server.script = [posted, refused("fatal_error"), posted]
    with pytest.raises(DeliveryError, match="fatal_error"):
        talk.bot().converse(message, talk.memory)
    talk.bot().converse(message, talk.memory)

    threads = [request.json.get("thread_ts") for request in talk.server.requests]
    assert threads == [None, "2", "2"]


def test_a_crash_after_the_post_repeats_it_once_and_goes_on_in_the_second(talk: Talk) -> None:
    talk.tell(an_item())
    talk.memory = {}
    talk.tell(an_item())
    talk.tell(an_item(reason=Reason.REMINDER), at=LATER)

    assert [len(replies) for _, replies in talk.said] == [0, 1]


@pytest.mark.parametrize("memory", [{"posts": [{"ts": 1}]}, {"posts": [7]}, {"posts": None}])
def test_a_memory_of_another_version_is_as_good_as_none(talk: Talk, memory: Any) -> None:
    talk.memory = memory
    talk.tell(an_item())

    assert len(talk.memory["posts"]) == 1


def test_old_posts_are_forgotten_and_so_are_too_many(talk: Talk) -> None:
    for number in range(120):
        talk.tell(an_item(f"i{number}"), at=WRITTEN + timedelta(minutes=number))
    assert len(talk.memory["posts"]) == 100
    talk.tell(an_item("new"), at=WRITTEN + timedelta(days=31))

    assert len(talk.memory["posts"]) == 1

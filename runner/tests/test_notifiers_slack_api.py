"""What the bot of Slack makes of every answer, and where its token goes."""

from __future__ import annotations

import time

import pytest
from receivers import SILENCE, TOKEN, Reply, a_message, an_item, refused
from slack_talks import Talk

from yakei.notifiers import DeliveryError

# What Slack answers


@pytest.mark.parametrize(
    ("reply", "said", "permanent"),
    [
        (refused("channel_not_found"), "answered channel_not_found", True),
        (refused("invalid_auth"), "answered invalid_auth", True),
        (refused("not_authed"), "answered not_authed", True),
        (refused("not_in_channel"), "answered not_in_channel", True),
        (refused("token_revoked"), "answered token_revoked", True),
        (refused("account_inactive"), "answered account_inactive", True),
        (refused("missing_scope"), "answered missing_scope", True),
        (refused("is_archived"), "answered is_archived", True),
        (refused("msg_too_long"), "answered msg_too_long", True),
        (refused("invalid_blocks"), "answered invalid_blocks", True),
        (refused("ratelimited", 429, Retry_After="30"), "answered ratelimited", False),
        (refused("internal_error", 500), "answered internal_error", False),
        (refused("fatal_error"), "answered fatal_error", False),
        (refused("service_unavailable", 503), "answered service_unavailable", False),
        (refused("<script>"), "answered 200", False),
        (Reply(200, '{"ok": "true"}'), "answered 200", False),
        (Reply(200, "ok"), "answered 200 with something else than JSON", False),
        (Reply(200, '{"ok": true, "ts": '), "answered 200 with something else than JSON", False),
        (Reply(200, "[]"), "answered 200 with something else than JSON", False),
        (Reply(404, "<html>"), "answered 404 with something else than JSON", True),
        (Reply(502, "<html>"), "answered 502 with something else than JSON", False),
        (Reply(302, "", {"Location": "/x"}), "answered 302 with something else than JSON", False),
        (Reply(manner="drop"), "the connection broke (RemoteDisconnected)", False),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_only_200_with_ok_is_a_delivery(
    talk: Talk, reply: Reply, said: str, permanent: bool
) -> None:
    talk.server.script = [reply]
    failure = talk.fail_to_tell(an_item())

    assert (str(failure), failure.permanent) == (said, permanent)
    assert talk.memory == {"posts": []}


def test_a_wait_that_is_too_long_for_this_run_is_left_to_a_later_one(talk: Talk) -> None:
    talk.server.script = [refused("ratelimited", 429, Retry_After="30")]

    assert talk.fail_to_tell(an_item()).retry_after == 30
    assert len(talk.server.requests) == 1


def test_a_short_wait_is_kept(talk: Talk) -> None:
    talk.server.script = [refused("ratelimited", 429, Retry_After="0.1")]
    talk.tell(an_item())

    assert len(talk.posts) == 1


def test_a_slow_server_is_given_up_in_time(talk: Talk) -> None:
    talk.server.script = [SILENCE]
    started = time.monotonic()

    with pytest.raises(DeliveryError, match=r"no answer within 0\.2 s"):
        talk.bot(timeout=0.2).converse(a_message(items=(an_item(),)), talk.memory)
    assert time.monotonic() - started < 5


# The token


def test_the_token_is_in_one_header_and_nowhere_else(talk: Talk) -> None:
    talk.tell(an_item())

    (request,) = talk.server.requests
    elsewhere = {name: text for name, text in request.headers.items() if name != "Authorization"}
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in f"{request.path} {request.body!r} {elsewhere} {talk.memory} {talk.bot()!r}"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"token": "xoxb s3cr3t"}, "token: expected"),
        ({"token": "xoxb\r\ns3cr3t"}, "token: expected"),
        ({"api": "http://slack.example.com/api"}, "api: expected https://"),
        ({"api": "slack.com/api"}, "api: expected a URL"),
    ],
)
def test_settings_that_cannot_work_are_refused(
    talk: Talk, more: dict[str, str], expected: str
) -> None:
    with pytest.raises(ValueError, match=expected) as refusal:
        talk.bot(**more)

    assert "s3cr3t" not in str(refusal.value)

"""The Slack channel, against a server with Slack's manners."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from receivers import SILENCE, Reply, Request, WebServer, a_message, slack_server, stubborn_server

from yakei.notifiers import DeliveryError
from yakei.notifiers.exchange import no_answer
from yakei.notifiers.slack import Settings, Slack, notifier, payload
from yakei.results import Severity

SECRET = "T000/B000/s3cr3t"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def server() -> Iterator[WebServer]:
    with slack_server() as running:
        yield running


@pytest.fixture
def slack(server: WebServer) -> Slack:
    return slack_at(server.address)


def slack_at(address: str, timeout: float = 10) -> Slack:
    webhook = f"{address}/services/{SECRET}"
    return notifier("slack", Settings(webhook=webhook, timeout=timedelta(seconds=timeout)))


def failure_of(slack: Slack) -> DeliveryError:
    with pytest.raises(DeliveryError) as failure:
        slack.notify(a_message())
    return failure.value


def everything_shown(request: Request) -> str:
    blocks = [block["text"]["text"] for block in request.json["blocks"]]
    return "\n".join([request.json["text"], *blocks])


# What arrives


def test_a_message_is_one_post_of_json_with_text(server: WebServer, slack: Slack) -> None:
    slack.notify(a_message())

    (request,) = server.requests
    assert request.method == "POST"
    assert "queue analyze_page: 1396 waiting" in request.json["text"]


def test_the_number_and_the_limit_are_escaped(server: WebServer, slack: Slack) -> None:
    slack.notify(a_message(body="assert '1396' < '1000'"))

    assert everything_shown(server.requests[0]).count("'1396' &lt; '1000'") == 2


@pytest.mark.parametrize("mention", ["<!channel>", "<@U024BE7LH>", "<https://evil.test|the wiki>"])
def test_data_can_neither_mention_anybody_nor_disguise_a_link(
    server: WebServer, slack: Slack, mention: str
) -> None:
    slack.notify(a_message(subject=f"x {mention}", body=f"y {mention}"))

    assert mention not in everything_shown(server.requests[0])


def test_plain_text_is_not_searched_for_names(server: WebServer, slack: Slack) -> None:
    """Without `verbatim` Slack makes links of channel names and mentions of some words."""
    slack.notify(a_message(body="#general @here"))

    assert all(block["text"]["verbatim"] for block in server.requests[0].json["blocks"])


def test_data_cannot_end_the_code_block(server: WebServer, slack: Slack) -> None:
    slack.notify(a_message(body="before ``` after"))

    assert everything_shown(server.requests[0]).count("```") == 2


def test_a_runbook_is_a_link_outside_the_code_block(server: WebServer, slack: Slack) -> None:
    slack.notify(a_message(body="Runbook   https://wiki.example.com/q?a=1&b=2.\n"))

    last = server.requests[0].json["blocks"][-1]["text"]["text"]
    assert last == "<https://wiki.example.com/q?a=1&amp;b=2>"


@pytest.mark.parametrize(
    "body", ["", "&" * 20_000, "line <\n" * 20_000, "\n" * 9_000, "夜警" * 9_000]
)
def test_a_body_of_any_size_is_taken(server: WebServer, slack: Slack, body: str) -> None:
    slack.notify(a_message(subject="&" * 1_000, body=body))

    assert len(server.requests) == 1


def test_a_body_that_is_cut_says_where_the_rest_is() -> None:
    blocks = payload(a_message(body="line\n" * 20_000))["blocks"]

    assert "more lines are in the log" in blocks[-1]["text"]["text"]


def test_characters_that_nobody_sees_are_left_out(server: WebServer, slack: Slack) -> None:
    slack.notify(a_message(subject="a\x1b[31mb\x00c\nd", body="e\u202ef\udc80"))

    shown = everything_shown(server.requests[0])
    assert "abc d" in shown
    assert not {"\x1b", "\x00", "\u202e", "\udc80"} & set(shown)


@pytest.mark.parametrize("severity", Severity)
def test_every_severity_has_a_colour(severity: Severity) -> None:
    heading = payload(a_message(severity=severity))["blocks"][0]["text"]["text"]

    assert heading.startswith(":")


def test_the_proxy_of_the_environment_is_used(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.address)
    server.script = [Reply()]
    slack_at("http://slack.invalid").notify(a_message())

    assert server.requests[0].path.startswith("http://slack.invalid/services/")


# What counts as delivered


@pytest.mark.parametrize(
    ("reply", "said", "permanent"),
    [
        (Reply(200, "<html>please log in</html>"), "answered 200 without ok", False),
        (Reply(200, "o"), "answered 200 without ok", False),
        (Reply(200, ""), "answered 200 without ok", False),
        (Reply(204, ""), "answered 204", False),
        (Reply(302, "", {"Location": "/elsewhere"}), "answered 302", False),
        (Reply(400, "invalid_payload"), "answered 400 invalid_payload", True),
        (Reply(400, "invalid_blocks"), "answered 400 invalid_blocks", True),
        (Reply(400, "no_text"), "answered 400 no_text", True),
        (Reply(403, "action_prohibited"), "answered 403 action_prohibited", True),
        (Reply(403, "invalid_token"), "answered 403 invalid_token", True),
        (Reply(404, "channel_not_found"), "answered 404 channel_not_found", True),
        (Reply(404, "no_service"), "answered 404 no_service", True),
        (Reply(404, "no_team"), "answered 404 no_team", True),
        (Reply(404, "<html><h1>Not Found"), "answered 404", True),
        (Reply(410, "channel_is_archived"), "answered 410 channel_is_archived", True),
        (Reply(429, "rate_limited"), "answered 429 rate_limited", False),
        (Reply(500, "rollup_error"), "answered 500 rollup_error", False),
        (Reply(502, "<html>Bad Gateway"), "answered 502", False),
        (Reply(503, "<h1>Oops</h1>"), "answered 503", False),
        (Reply(200, "", {"Content-Length": "2"}), "answered 200 without ok", False),
        (Reply(manner="drop"), "the connection broke (RemoteDisconnected)", False),
    ],
)
def test_only_200_with_ok_is_a_delivery(
    server: WebServer, slack: Slack, reply: Reply, said: str, permanent: bool
) -> None:
    server.script = [reply]

    failure = failure_of(slack)

    assert (str(failure), failure.permanent) == (said, permanent)


def test_a_redirect_is_not_followed(server: WebServer, slack: Slack) -> None:
    """A webhook's path is its password; it goes nowhere but where it was meant for."""
    server.script = [Reply(302, "", {"Location": f"{server.address}/services/elsewhere"})]

    assert str(failure_of(slack)) == "answered 302"
    assert len(server.requests) == 1


def test_a_closed_port_is_said(closed_port: int) -> None:
    assert str(failure_of(slack_at(f"http://127.0.0.1:{closed_port}"))) == "connection refused"


def test_a_server_without_a_trusted_certificate_gets_nothing() -> None:
    with stubborn_server(b"no TLS here\r\n") as port:
        failure = failure_of(slack_at(f"https://127.0.0.1:{port}"))

    assert str(failure).startswith("TLS failed")


# Asked to wait


def test_a_short_wait_is_kept_and_the_message_posted_once_more(
    server: WebServer, slack: Slack
) -> None:
    server.script = [Reply(429, "rate_limited", {"Retry-After": "0.1"})]
    slack.notify(a_message())

    assert len(server.requests) == 2


def test_a_wait_until_a_date_is_understood(server: WebServer, slack: Slack) -> None:
    server.script = [Reply(429, "", {"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"})]

    assert (failure_of(slack).retry_after or 0) > timedelta(days=365).total_seconds()


def test_who_is_asked_to_wait_twice_gives_up(server: WebServer, slack: Slack) -> None:
    server.script = [Reply(429, "rate_limited", {"Retry-After": "0"})] * 2

    assert str(failure_of(slack)) == "answered 429 rate_limited"
    assert len(server.requests) == 2


@pytest.mark.parametrize("wait", ["6", "3600", "-1", "soon", ""])
def test_a_long_or_senseless_wait_is_left_to_the_next_run(
    server: WebServer, slack: Slack, wait: str
) -> None:
    server.script = [Reply(429, "rate_limited", {"Retry-After": wait})]
    failure_of(slack)

    assert len(server.requests) == 1


# Time


@pytest.mark.parametrize(
    "reply", [SILENCE, Reply(body="x" * 9_000, manner="slow body"), Reply(manner="slow headers")]
)
def test_a_slow_server_is_given_up_in_time(server: WebServer, reply: Reply) -> None:
    server.script = [reply]
    started = time.monotonic()

    assert str(failure_of(slack_at(server.address, timeout=0.2))) == "no answer within 0.2 s"
    assert time.monotonic() - started < 5


def test_the_time_that_a_server_had_is_told_to_a_tenth_of_a_second() -> None:
    assert no_answer(9.998) == "no answer within 10 s"


def test_a_delivery_may_take_ten_seconds() -> None:
    assert Settings(webhook="https://hooks.slack.com/services/x").timeout == timedelta(seconds=10)


# Settings


@pytest.mark.parametrize(
    "webhook",
    [
        "hooks.slack.com/services/s3cr3t",
        "ftp://hooks.slack.com/s3cr3t",
        "https:///s3cr3t",
        "https://user:s3cr3t@hooks.slack.com/",
        "https://hooks.slack.com/s3cr3t\r\nHost: evil",
        "https://hooks.slack.com:s3cr3t/",
        "https://hooks.slack.com/s3cr3t ",
    ],
)
def test_a_webhook_that_is_no_web_address_is_refused_without_being_shown(webhook: str) -> None:
    with pytest.raises(ValueError, match="webhook: expected a URL") as refusal:
        Settings(webhook=webhook)

    assert "s3cr3t" not in str(refusal.value)


def test_no_time_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="timeout: expected"):
        Settings(webhook="https://hooks.slack.com/x", timeout=timedelta(0))

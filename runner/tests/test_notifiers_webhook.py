"""The webhook channel, against a server that takes JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from receivers import SILENCE, Reply, WebServer, a_message, an_item, json_server

from yakei.incidents.remembered import Reason
from yakei.notifiers import DeliveryError
from yakei.notifiers.document import document
from yakei.notifiers.webhook import Settings, Webhook, notifier

SECRET = "s3cr3t-T0k3n"
DOCS = Path(__file__).parents[2] / "docs/channels.md"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def server() -> Iterator[WebServer]:
    with json_server() as running:
        yield running


def webhook_at(server: WebServer, token: str | None = None, timeout: float = 10) -> Webhook:
    url = f"{server.address}/hooks/{SECRET}"
    return notifier("hook", Settings(url=url, token=token, timeout=timedelta(seconds=timeout)))


def failure_of(webhook: Webhook) -> DeliveryError:
    with pytest.raises(DeliveryError) as failure:
        webhook.notify(a_message())
    return failure.value


# What arrives


def test_the_document_is_what_the_manual_shows(server: WebServer) -> None:
    item = an_item(
        "a1b2",
        Reason.WORSE,
        key="monitors/test_queues.py::test_depth[orders]",
        label="queue orders",
        runs=3,
        owner="shop",
        runbook="https://wiki.example.com/ops/orders",
        claim="The queue is short.",
    )
    webhook_at(server).notify(a_message("[CRIT] app01 queue orders", "the text", items=(item,)))
    shown = DOCS.read_text().partition("```json\n")[2].partition("```")[0]

    assert server.requests[0].json == json.loads(shown)


def test_every_field_of_the_document_is_explained() -> None:
    whole = document(a_message(items=(an_item(),)))
    rows = [
        line.split("|")[1].strip() for line in DOCS.read_text().splitlines() if line[:3] == "| `"
    ]

    missing = {f"`{name}`" for name in [*whole, *whole["incidents"][0]]} - set(rows)
    assert not missing


def test_a_try_after_a_failure_has_the_same_idempotency_key(server: WebServer) -> None:
    server.script = [Reply(503, "")]
    failure_of(webhook_at(server))
    webhook_at(server).notify(a_message(body="Late by 5 min"))
    webhook_at(server).notify(a_message("another"))

    first, again, other = (one.headers["Idempotency-Key"] for one in server.requests)
    assert first == again != other


def test_a_token_is_sent_as_bearer(server: WebServer) -> None:
    webhook_at(server, token=SECRET).notify(a_message())

    assert server.requests[0].headers["Authorization"] == f"Bearer {SECRET}"


def test_text_in_any_script_and_of_any_content_arrives(server: WebServer) -> None:
    webhook_at(server).notify(a_message("夜警\r\nX: y", 'a "b" \x1b[31m夜\udc80\n' * 3_000))

    assert server.requests[0].json["subject"] == "夜警 X: y"
    assert server.requests[0].json["text"].startswith('a "b" 夜?\n')


# What counts as delivered


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_answer_of_the_two_hundreds_takes_it(server: WebServer, status: int) -> None:
    server.script = [Reply(status, "")]

    webhook_at(server).notify(a_message())


@pytest.mark.parametrize(
    ("status", "permanent"),
    [
        *((status, True) for status in (400, 401, 403, 404, 405, 409, 410, 413, 415, 422)),
        *((status, False) for status in (302, 304, 408, 425, 429, 500, 502, 503, 504)),
    ],
)
def test_any_other_answer_is_no_delivery(server: WebServer, status: int, permanent: bool) -> None:
    server.script = [Reply(status, SECRET)]
    failure = failure_of(webhook_at(server))

    assert (str(failure), failure.permanent) == (f"answered {status}", permanent)


@pytest.mark.parametrize("status", [429, 503])
def test_a_short_wait_is_kept(server: WebServer, status: int) -> None:
    server.script = [Reply(status, "", {"Retry-After": "0.1"})]
    webhook_at(server).notify(a_message())

    assert len(server.requests) == 2


@pytest.mark.parametrize("after", ["90", "Fri, 01 Jan 2100 00:00:00 GMT"])
def test_a_long_wait_is_for_a_later_run(server: WebServer, after: str) -> None:
    server.script = [Reply(429, "", {"Retry-After": after})]

    assert (failure_of(webhook_at(server)).retry_after or 0) >= 90
    assert len(server.requests) == 1


def test_a_slow_server_is_given_up_in_time(server: WebServer) -> None:
    server.script = [SILENCE]
    started = time.monotonic()

    assert str(failure_of(webhook_at(server, timeout=0.2))) == "no answer within 0.2 s"
    assert time.monotonic() - started < 5


# Settings


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"url": f"example.com/{SECRET}"}, "url: expected a URL"),
        ({"url": "http://example.com/", "token": SECRET}, "url: expected https://"),
        ({"url": "https://example.com/", "token": f"{SECRET}\r\nHost: evil"}, "token: expected"),
        ({"url": "https://example.com/", "timeout": timedelta(0)}, "timeout: expected"),
    ],
)
def test_settings_that_cannot_work_are_refused_without_being_shown(
    keys: dict[str, str], expected: str
) -> None:
    with pytest.raises(ValueError, match=expected) as refusal:
        Settings(**keys)  # type: ignore[arg-type]  # the parametrized keys

    assert SECRET not in str(refusal.value)

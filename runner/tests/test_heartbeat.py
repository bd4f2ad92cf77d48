"""The heartbeat, against a watcher with healthchecks.io's manners."""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from receivers import SILENCE, Reply, WebServer, healthchecks_server

from yakei.heartbeat import Heartbeat

RUN = "20100118-0305-4711"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def watcher() -> Iterator[WebServer]:
    with healthchecks_server() as running:
        yield running


@pytest.fixture
def heartbeat(watcher: WebServer) -> Heartbeat:
    return Heartbeat(f"{watcher.address}/ping/watched")


def test_a_run_is_a_start_and_an_end_with_one_id(watcher: WebServer, heartbeat: Heartbeat) -> None:
    """The watcher measures the time between them only when both name the same UUID."""
    notes = [heartbeat.start(RUN), heartbeat.finish(0, "", RUN)]

    assert notes == [None, None]
    start, end = (urlsplit(request.path) for request in watcher.requests)
    assert [start.path, end.path] == ["/ping/watched/start", "/ping/watched/0"]
    assert parse_qs(start.query) == parse_qs(end.query)


def test_a_run_that_is_a_uuid_keeps_its_id(watcher: WebServer, heartbeat: Heartbeat) -> None:
    run = "073305d2-3582-4dd6-b6a3-425e88583ca2"
    heartbeat.start(run)

    assert watcher.requests[0].path.endswith(f"?rid={run}")


@pytest.mark.parametrize("exit_code", [0, 1, 75, 143])
def test_the_exit_code_is_told_with_the_report(
    watcher: WebServer, heartbeat: Heartbeat, exit_code: int
) -> None:
    heartbeat.finish(exit_code, "22 checks: 3 failed")

    (request,) = watcher.requests
    assert (request.method, request.path) == ("POST", f"/ping/watched/{exit_code}")
    assert request.body == b"22 checks: 3 failed"


def test_of_a_long_report_the_end_is_told(watcher: WebServer, heartbeat: Heartbeat) -> None:
    """The cut may fall into a character, which is then left out."""
    heartbeat.finish(1, "夜" * 10_000 + "the end")

    body = watcher.requests[0].body
    assert 9_990 < len(body) <= 10_000
    assert body.decode().endswith("夜the end")


def test_a_query_of_the_url_is_kept(watcher: WebServer) -> None:
    heartbeat = Heartbeat(f"{watcher.address}/ping/watched/?create=1")
    heartbeat.start(RUN)

    assert re.fullmatch(
        r"/ping/watched/start\?create=1&rid=[0-9a-f-]{36}", watcher.requests[0].path
    )


@pytest.mark.parametrize(
    ("reply", "note"),
    [
        (Reply(200, "OK (not found)"), "answered 200 but not found"),
        (Reply(200, "OK (rate limited)"), "answered 200 but rate limited"),
        (Reply(301, "", {"Location": "/"}), "answered 301"),
        (Reply(500, ""), "answered 500"),
        (Reply(manner="drop"), "the connection broke (RemoteDisconnected)"),
    ],
)
def test_a_ping_that_was_not_counted_is_a_note(
    watcher: WebServer, heartbeat: Heartbeat, reply: Reply, note: str
) -> None:
    watcher.script = [reply]

    assert heartbeat.finish(0, "") == f"heartbeat failed: {note}"


@pytest.mark.parametrize("status", [200, 201, 204])
def test_any_success_of_another_watcher_will_do(
    watcher: WebServer, heartbeat: Heartbeat, status: int
) -> None:
    watcher.script = [Reply(status, '{"ok":true}' if status != 204 else "")]

    assert heartbeat.finish(0, "") is None


@pytest.mark.parametrize("reply", [SILENCE, Reply(manner="slow headers")])
def test_a_watcher_that_does_not_answer_is_given_up_in_time(
    watcher: WebServer, reply: Reply
) -> None:
    watcher.script = [reply]
    heartbeat = Heartbeat(f"{watcher.address}/ping/watched", timedelta(seconds=0.2))
    started = time.monotonic()

    assert heartbeat.start(RUN) == "heartbeat failed: no answer within 0.2 s"
    assert time.monotonic() - started < 5


def test_a_request_may_take_five_seconds() -> None:
    assert Heartbeat("https://hc-ping.com/x").timeout == timedelta(seconds=5)


def test_the_url_is_a_secret(closed_port: int) -> None:
    heartbeat = Heartbeat(f"http://127.0.0.1:{closed_port}/s3cr3t")

    assert "s3cr3t" not in f"{heartbeat!r} {heartbeat.start(RUN)}"


@pytest.mark.parametrize("url", ["hc-ping.com/s3cr3t", "file:///s3cr3t", "https://u:s3cr3t@host/"])
def test_a_url_that_is_none_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(ValueError, match="url: expected a URL") as refusal:
        Heartbeat(url)

    assert "s3cr3t" not in "".join(traceback.format_exception_only(refusal.value))

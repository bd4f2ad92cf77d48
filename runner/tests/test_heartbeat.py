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
from repository import PASSING, Repository

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
    notes = [heartbeat.start(RUN).note(), heartbeat.finish(0, "", RUN)]

    assert notes == [None, None]
    start, end = (urlsplit(request.path) for request in watcher.requests)
    assert [start.path, end.path] == ["/ping/watched/start", "/ping/watched/0"]
    assert parse_qs(start.query) == parse_qs(end.query)


def test_a_run_that_is_a_uuid_keeps_its_id(watcher: WebServer, heartbeat: Heartbeat) -> None:
    run = "073305d2-3582-4dd6-b6a3-425e88583ca2"
    heartbeat.start(run).note()

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
    heartbeat.start(RUN).note()

    assert re.fullmatch(
        r"/ping/watched/start\?create=1&rid=[0-9a-f-]{36}", watcher.requests[0].path
    )


@pytest.mark.parametrize(
    ("reply", "note"),
    [
        (Reply(200, "OK (not found)"), "answered 200 but not found"),
        (Reply(200, "OK (rate limited)"), "answered 200 but rate limited"),
        (Reply(301, "", {"Location": "/"}), "answered 301"),
        (Reply(404, ""), "answered 404"),
    ],
)
def test_a_ping_that_will_never_be_counted_is_a_note(
    watcher: WebServer, heartbeat: Heartbeat, reply: Reply, note: str
) -> None:
    """The same again would be refused again."""
    watcher.script = [reply]

    assert heartbeat.finish(0, "") == f"heartbeat failed: {note}"
    assert len(watcher.requests) == 1


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(500, ""), id="an error of the server"),
        pytest.param(Reply(429, "", {"Retry-After": "0.6"}), id="too many at once"),
        pytest.param(Reply(manner="drop"), id="a connection that breaks"),
    ],
)
def test_a_ping_that_failed_for_the_moment_is_sent_again(
    watcher: WebServer, heartbeat: Heartbeat, reply: Reply
) -> None:
    watcher.script = [reply]

    assert heartbeat.finish(1, "3 failed") is None
    assert [request.body for request in watcher.requests] == [b"3 failed"] * 2


@pytest.mark.slow
def test_after_three_tries_it_is_a_note(watcher: WebServer, heartbeat: Heartbeat) -> None:
    watcher.script = [Reply(503, "")] * 5

    assert heartbeat.finish(0, "") == "heartbeat failed: answered 503 (3 tries)"
    assert len(watcher.requests) == 3


def test_a_watcher_that_wants_to_be_left_alone_for_long_is_left_alone(
    watcher: WebServer, heartbeat: Heartbeat
) -> None:
    watcher.script = [Reply(429, "", {"Retry-After": "60"})]
    started = time.monotonic()

    assert heartbeat.finish(0, "") == "heartbeat failed: answered 429"
    assert time.monotonic() - started < 2


@pytest.mark.slow
def test_a_watcher_that_is_slow_once_is_asked_again(watcher: WebServer) -> None:
    watcher.script = [SILENCE]
    heartbeat = Heartbeat(f"{watcher.address}/ping/watched", timedelta(seconds=2))

    assert heartbeat.finish(0, "") is None


def test_the_run_does_not_wait_for_the_start(watcher: WebServer, heartbeat: Heartbeat) -> None:
    watcher.script = [SILENCE] * 3
    started = time.monotonic()

    heartbeat.start(RUN)

    assert time.monotonic() - started < 0.5


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

    assert heartbeat.start(RUN).note() == "heartbeat failed: no answer within 0.1 s"
    assert time.monotonic() - started < 5


def test_a_ping_may_take_five_seconds() -> None:
    assert Heartbeat("https://hc-ping.com/x").timeout == timedelta(seconds=5)


def test_the_url_is_a_secret(closed_port: int) -> None:
    heartbeat = Heartbeat(f"http://127.0.0.1:{closed_port}/s3cr3t", timedelta(seconds=0.2))

    assert "s3cr3t" not in f"{heartbeat!r} {heartbeat.start(RUN).note()}"


@pytest.mark.parametrize("url", ["hc-ping.com/s3cr3t", "file:///s3cr3t", "https://u:s3cr3t@host/"])
def test_a_url_that_is_none_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(ValueError, match="url: expected a URL") as refusal:
        Heartbeat(url)

    assert "s3cr3t" not in "".join(traceback.format_exception_only(refusal.value))


@pytest.mark.slow
@pytest.mark.parametrize(
    "script",
    [
        pytest.param([Reply(manner="drop"), Reply(500, "")] * 2, id="it drops and errs"),
        pytest.param([SILENCE], id="it is silent at first"),
        pytest.param([Reply(429, "", {"Retry-After": "3600"})] * 2, id="it wants its peace"),
        pytest.param([Reply(200, "OK (not found)")] * 2, id="it knows nothing of us"),
    ],
)
def test_a_difficult_watcher_changes_nothing_about_a_run(
    repository: Repository, watcher: WebServer, script: list[Reply]
) -> None:
    repository.configure(f'[heartbeat]\nurl = "{watcher.address}/ping/watched"\n')
    repository.check("index", PASSING)
    watcher.script = script

    ran = repository.run()

    assert (ran.code, ran.silent) == (0, True)
    assert ran.seconds < 15

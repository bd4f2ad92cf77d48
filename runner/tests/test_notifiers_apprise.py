"""The Apprise channel, with Apprise itself sending to our own receivers."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from receivers import SILENCE, WRITTEN, Reply, WebServer, a_message, an_item

from yakei.incidents.remembered import Reason
from yakei.notifiers import DeliveryError
from yakei.notifiers.apprise import Apprise, Settings, notifier
from yakei.results import Severity

# one of Apprise's own imports, which it only makes where Python still has it
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

SECRET = "s3cr3t-T0k3n"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer(lambda _: Reply()) as running:
        yield running


def apprise_to(server: WebServer, *schemes: str, timeout: float = 10) -> Apprise:
    urls = tuple(f"{scheme}{server.address[4:]}/{SECRET}" for scheme in schemes or ("json",))
    return notifier("any", Settings(urls=urls, timeout=timedelta(seconds=timeout)))


def failure_of(apprise: Apprise) -> DeliveryError:
    with pytest.raises(DeliveryError) as failure:
        apprise.notify(a_message())
    return failure.value


def test_a_message_arrives_with_its_subject_and_text(server: WebServer) -> None:
    apprise_to(server).notify(a_message("disk is full", "97 % of /var < 98 %\n夜"))

    told = server.requests[0].json
    assert (told["title"], told["message"]) == ("disk is full", "97 % of /var < 98 %\n夜")


@pytest.mark.parametrize(
    ("severity", "reason", "kind"),
    [
        (Severity.CRITICAL, Reason.NEW, "failure"),
        (Severity.WARNING, Reason.NEW, "warning"),
        (Severity.CRITICAL, Reason.RECOVERED, "success"),
    ],
)
def test_a_service_is_told_how_bad_it_is(
    server: WebServer, severity: Severity, reason: Reason, kind: str
) -> None:
    apprise_to(server).notify(a_message(severity=severity, items=(an_item(reason=reason),)))

    assert server.requests[0].json["type"] == kind


def test_every_url_is_told(server: WebServer) -> None:
    apprise_to(server, "json", "xml").notify(a_message())

    assert [one.headers["Content-Type"] for one in server.requests] == [
        "application/json",
        "application/xml",
    ]


def test_it_is_delivered_only_when_all_took_it(server: WebServer) -> None:
    server.script = [Reply(), Reply(500, SECRET)]

    assert str(failure_of(apprise_to(server, "json", "xml"))) == "urls[1] did not take it"


def test_who_took_it_is_not_told_again_by_the_next_try(server: WebServer) -> None:
    apprise, memory = apprise_to(server, "json", "xml"), dict[str, object]()
    server.script = [Reply(), Reply(500, "")]
    with pytest.raises(DeliveryError):
        apprise.converse(a_message(), memory)
    apprise.converse(a_message(), memory)

    kinds = [one.headers["Content-Type"].rpartition("/")[2] for one in server.requests]
    assert kinds == ["json", "xml", "xml"]
    assert memory == {}


def test_the_next_message_goes_to_all_again(server: WebServer) -> None:
    apprise, memory = apprise_to(server, "json", "xml"), dict[str, object]()
    server.script = [Reply(), Reply(500, "")]
    with pytest.raises(DeliveryError):
        apprise.converse(a_message(), memory)
    apprise.converse(a_message(created=WRITTEN + timedelta(hours=1)), memory)

    assert len(server.requests) == 4


def test_a_slow_service_is_given_up_in_time(server: WebServer) -> None:
    server.script = [SILENCE]
    started = time.monotonic()

    assert str(failure_of(apprise_to(server, timeout=0.5))).startswith("urls[0] no answer within")
    assert time.monotonic() - started < 5


def test_its_own_log_shows_no_address(
    server: WebServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    server.script = [Reply(500, SECRET)]
    failure = failure_of(apprise_to(server))

    assert SECRET not in f"{failure} {caplog.text} {capfd.readouterr()}"


@pytest.mark.parametrize("url", [f"nope://{SECRET}", f"slack://{SECRET}", SECRET, "json://"])
def test_an_url_that_apprise_does_not_understand_is_refused_without_being_shown(
    url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match=r"^urls\[1\]: expected a URL") as refusal:
        Settings(urls=("json://localhost", url))

    assert SECRET not in f"{refusal.value} {capfd.readouterr()}"


def test_no_url_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="urls: expected at least one"):
        Settings(urls=())


def test_without_the_extra_it_says_what_to_install() -> None:
    """In an interpreter to which Apprise is not there, as to one without the extra."""
    script = (
        "import sys; sys.modules['apprise'] = None\n"
        "from yakei.notifiers.apprise import Settings\n"
        "try: Settings(urls=('json://localhost',))\n"
        "except ValueError as error: print(error)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert ran.stdout == "urls: Apprise is missing; pip install 'yakei[apprise]'\n"


def test_nobody_pays_for_apprise_who_does_not_use_it() -> None:
    script = "import sys, yakei.notifiers.apprise; print('apprise' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert ran.stdout == "False\n"

"""What every channel promises, tested once for all of them."""

from __future__ import annotations

import importlib
import logging
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from receivers import (
    MailServer,
    Reply,
    WebServer,
    a_message,
    an_item,
    slack_server,
    stubborn_server,
)

from yakei.notifiers import KINDS, DeliveryError, Notifier

# one of Apprise's own imports, which it only makes where Python still has it
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

SECRET = "s3cr3t-T0k3n"
PAGER = """
import os, socket, sys
text = sys.stdin.buffer.read()
server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
server.sendall(b"POST / HTTP/1.0\\r\\nContent-Length: %d\\r\\n\\r\\n%b" % (len(text), text))
answer = server.makefile("rb").read()
if b" 200 " not in answer:
    sys.exit(os.environ["PAGER_TOKEN"] + repr(answer))
"""
"""A program that tells a server, and complains with all that it knows."""

SETTINGS: dict[str, Callable[[int], dict[str, Any]]] = {
    "slack": lambda port: {"webhook": f"http://127.0.0.1:{port}/services/{SECRET}"},
    "slack-bot": lambda port: {
        "token": SECRET,
        "channel": "#alerts",
        "api": f"http://127.0.0.1:{port}/api",
    },
    "email": lambda port: {
        "to": ("ops@example.com",),
        "smtp": f"smtp://ops:{SECRET}@127.0.0.1:{port}",
    },
    "webhook": lambda port: {"url": f"http://127.0.0.1:{port}/{SECRET}", "token": SECRET},
    "command": lambda port: {"command": (sys.executable, "-c", PAGER, str(port))},
    "apprise": lambda port: {"urls": (f"json://127.0.0.1:{port}/{SECRET}",)},
}
"""The settings of each kind for a receiver on a port of this machine, with a secret in them."""
SAYS_YES = Reply(200, '{"ok": true, "ts": "1"}')

INJECTIONS = (
    "subject\r\nBcc: victim@example.com",
    "subject\n\n<!channel> ``` <script>alert(1)</script>",
    "\x1b]0;title\x07\x1b[2J\x00\u202e",
    "\udc80 lone surrogate",
    "",
)


_JSON = (b"\\u001b", b"\\u0000", b"\\u202e")
MARKUP = {
    "slack": (b"<!channel>", *_JSON),
    "slack-bot": (b"<!channel>", *_JSON),
    "email": (b"\nBcc", b"\x1b", b"\x00"),
    "webhook": _JSON,
    "command": (b"\x1b", b"\x00"),
    "apprise": _JSON,
}
"""What must not be in what a program reads, in JSON, and in the header of a mail."""


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("PAGER_TOKEN", SECRET)


@pytest.fixture(params=sorted(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def channel(kind: str, port: int, timeout: float = 5) -> Notifier:
    module = importlib.import_module(KINDS[kind])
    settings = module.Settings(**SETTINGS[kind](port), timeout=timedelta(seconds=timeout))
    notifier: Notifier = module.notifier(kind, settings)
    return notifier


def receiver(kind: str, *, refuses: bool = False) -> MailServer | WebServer:
    """Return a server that takes what a channel of this kind sends, or refuses it with the secret.

    The mail server repeats the password that it refuses, as a chatty one may.
    """
    if kind == "email":
        return MailServer(login=("ops", "another" if refuses else SECRET))
    if refuses:
        return WebServer(lambda _: Reply(403, SECRET))
    return slack_server() if kind == "slack" else WebServer(lambda _: SAYS_YES)


def port_of(server: MailServer | WebServer) -> int:
    if isinstance(server, MailServer):
        return server.port
    return int(server.address.rpartition(":")[2])


def failure_of(notifier: Notifier) -> DeliveryError:
    with pytest.raises(DeliveryError) as failure:
        notifier.notify(a_message())
    return failure.value


def all_that_is_told(error: BaseException | None) -> str:
    """Return what any log could show of an error: its chain, too, also where it is suppressed."""
    told = ""
    while error:
        told += "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
        error = error.__cause__ or error.__context__
    return told


REPLIES = {
    "silence": b"",
    "an echo": f"521 {SECRET} is not welcome\r\n".encode(),
    "nonsense": f"\x00\xff{SECRET}\r\n\r\n".encode("latin-1"),
    "a refusal": f"HTTP/1.0 403 {SECRET}\r\n\r\n{SECRET}".encode(),
}


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
def test_a_failed_delivery_leaks_no_secret(
    kind: str, reply: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with stubborn_server(reply, then="close" if reply else "silence") as port:
        notifier = channel(kind, port, timeout=0.5)
        error = failure_of(notifier)

    assert SECRET not in all_that_is_told(error)
    assert SECRET not in f"{notifier!r} {caplog.text}"


def test_an_unreachable_receiver_leaks_no_secret(kind: str, closed_port: int) -> None:
    assert SECRET not in all_that_is_told(failure_of(channel(kind, closed_port)))


def test_a_receiver_that_says_no_leaks_no_secret(kind: str) -> None:
    with receiver(kind, refuses=True) as server:
        error = failure_of(channel(kind, port_of(server)))

    assert SECRET not in all_that_is_told(error)


@pytest.mark.parametrize("then", ["silence", "trickle"])
def test_a_receiver_that_says_nothing_is_given_up_in_time(kind: str, then: str) -> None:
    with stubborn_server(then=then) as port:  # type: ignore[arg-type]  # the parametrized words
        notifier = channel(kind, port, timeout=0.5)
        started = time.monotonic()
        failure_of(notifier)

        assert time.monotonic() - started < 5


@pytest.mark.parametrize("text", INJECTIONS)
def test_no_text_breaks_out_of_a_message_or_keeps_it_from_arriving(kind: str, text: str) -> None:
    message = a_message(text, text, items=(an_item(label=text, fact=text),))
    with receiver(kind) as server:
        channel(kind, port_of(server)).notify(message)

    if isinstance(server, MailServer):
        (exposed,) = [one.raw.partition(b"\r\n\r\n")[0] for one in server.mails]
    else:
        (exposed,) = [one.body for one in server.requests]
    assert not [bad for bad in MARKUP[kind] if bad in exposed]


def test_every_kind_declares_its_secrets(kind: str) -> None:
    settings = importlib.import_module(KINDS[kind]).Settings(**SETTINGS[kind](25))
    holders = [field for field in fields(settings) if SECRET in str(getattr(settings, field.name))]

    assert all(field.metadata["secret"] and not field.repr for field in holders)
    assert holders or kind == "command"  # its secrets are in its environment


def test_every_kind_is_in_the_manual(kind: str) -> None:
    rows = (Path(__file__).parents[2] / "docs/configuration.md").read_text()

    assert f"| `{kind}` |" in rows

"""Whatever fails on the way and whenever we are killed: a bot says all, and once if it can."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from outboxes import Outbox
from receivers import TOKEN, WRITTEN, SlackApi, WebServer, a_message, an_item, api_server

from yakei.delivery import deliver
from yakei.incidents.remembered import Reason
from yakei.message import Message
from yakei.notifiers import slack_bot

pytestmark = pytest.mark.slow  # lives through hundreds of runs

REASONS = (Reason.NEW, Reason.REMINDER, Reason.WORSE, Reason.RECOVERED, Reason.MISSED_RUNS)


@dataclass(frozen=True)
class Night:
    """One run: what it has to tell, and what befalls it."""

    told: dict[int, Reason]
    """The incidents of its message, none when there is no message."""
    calls: int | None
    """After how many calls Slack begins to fail."""
    killed: bool
    """Whether we end before the first mark."""


NIGHTS = st.lists(
    st.builds(
        Night,
        told=st.dictionaries(st.integers(0, 3), st.sampled_from(REASONS), max_size=4),
        calls=st.none() | st.integers(0, 4),
        killed=st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


@pytest.fixture(scope="module")
def server() -> Iterator[WebServer]:
    with pytest.MonkeyPatch.context() as patch, api_server(SlackApi()) as running:
        patch.setenv("no_proxy", "127.0.0.1")
        yield running


def message_of(number: int, night: Night) -> Message:
    told = night.told.items()
    items = tuple(
        an_item(f"i{incident}", reason, fact=f"fact {number}.{incident};")
        for incident, reason in told
    )
    facts = " ".join(item.fact for item in items)
    created = WRITTEN + timedelta(minutes=5 * number)
    return a_message(f"message {number}", f"text {number}; {facts}", created=created, items=items)


def live_through(nights: list[Night], server: WebServer) -> SlackApi:
    """Return what stands in Slack after these runs, and one in which all is well."""
    slack, outbox = SlackApi(), Outbox()
    server.opinion = slack
    keys = {"token": TOKEN, "channel": "#alerts", "api": f"{server.address}/api"}
    bot = slack_bot.notifier("bot", slack_bot.Settings(**keys))
    for number, night in enumerate([*nights, Night({}, None, killed=False)]):
        if night.told:
            outbox.add(message_of(number, night), "bot")
        slack.calls, outbox.full = night.calls, night.killed
        with suppress(OSError):
            deliver(outbox, [bot], WRITTEN + timedelta(minutes=5 * number))
    assert outbox.waiting("bot") == []
    return slack


SLOWLY = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@SLOWLY
@given(nights=NIGHTS)
def test_everything_is_said_and_only_a_kill_repeats_it(
    nights: list[Night], server: WebServer
) -> None:
    slack = live_through(nights, server)

    everything = [message.first for message in slack.messages]
    kills = sum(night.killed for night in nights)
    for number, night in enumerate(nights):
        if night.told:
            times = sum(f"text {number};" in shown for shown in everything)
            assert 1 <= times <= 1 + kills
        for incident in night.told:
            assert any(f"fact {number}.{incident};" in shown for shown in everything)

"""A bot that speaks in a channel of a server that keeps posts and threads as Slack does."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from receivers import TOKEN, WRITTEN, Posted, SlackApi, WebServer, a_message, api_server

from yakei.incidents.remembered import Incident
from yakei.message import Item, Message
from yakei.notifiers import DeliveryError
from yakei.notifiers.slack_bot import Settings, SlackBot, notifier

LATER = WRITTEN + timedelta(hours=1)


@dataclass
class Talk:
    """A channel that the bot speaks in, and what the bot remembers of it."""

    server: WebServer
    slack: SlackApi
    memory: dict[str, Any] = field(default_factory=dict)

    def bot(self, timeout: float = 10, **more: str) -> SlackBot:
        """Return the bot."""
        known = {"token": TOKEN, "channel": "#alerts", "api": f"{self.server.address}/api"}
        settings = Settings(**{**known, **more}, timeout=timedelta(seconds=timeout))  # type: ignore[arg-type]  # its keys
        return notifier("slack-bot", settings)

    def tell(self, *items: Item, at: datetime = WRITTEN, body: str = "the whole text") -> Message:
        """Let the bot tell a run's message; its memory goes through JSON, as in the state."""
        message = a_message(f"{len(items)} things", body, created=at, items=items)
        try:
            self.bot().converse(message, self.memory)
        finally:
            self.memory = json.loads(json.dumps(self.memory))
        return message

    def fail_to_tell(self, *items: Item, at: datetime = WRITTEN) -> DeliveryError:
        """Return what kept the bot from telling."""
        with pytest.raises(DeliveryError) as failure:
            self.tell(*items, at=at)
        return failure.value

    def show(self, *incidents: Incident, at: datetime = LATER) -> None:
        """Let the bot show how things stand when these incidents are open."""
        self.bot().show(incidents, at, self.memory)
        self.memory = json.loads(json.dumps(self.memory))

    @property
    def said(self) -> list[tuple[str, list[str]]]:
        """Return each post with its replies, by their notifications' texts."""
        return [(post.text, [one.text for one in self.slack.replies(post)]) for post in self.posts]

    @property
    def posts(self) -> list[Posted]:
        """Return what stands in the channel itself."""
        return self.slack.posts


@pytest.fixture
def talk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Talk]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    slack = SlackApi()
    with api_server(slack) as server:
        yield Talk(server, slack)
    monkeypatch.undo()
    time.tzset()

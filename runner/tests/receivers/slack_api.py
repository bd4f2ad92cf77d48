"""A server of Slack's Web API that keeps messages and threads, and refuses what Slack refuses."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from typing import Any

from receivers.web import Reply, Request, WebServer

TOKEN = "xoxb-1234-5678-S3cr3tOfTheBot"
CHANNEL = "C024BE91L"


@dataclass
class Posted:
    """A message as people see it now."""

    ts: str
    text: str
    blocks: list[dict[str, Any]]
    thread: str | None = None
    """The `ts` of the message that it is a reply to."""
    loud: bool = False
    """Whether the whole channel sees the reply."""
    edits: int = 0
    first: str = ""
    """What its blocks said before all edits."""

    def __post_init__(self) -> None:
        self.first = self.shown

    @property
    def shown(self) -> str:
        """Return what its blocks say."""
        return "\n".join(block["text"]["text"] for block in self.blocks)


@dataclass
class SlackApi:
    """One workspace with one channel, `#alerts`."""

    messages: list[Posted] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=itertools.count)
    calls: int | None = None
    """How many calls it will take before it fails; None is no end."""

    @property
    def posts(self) -> list[Posted]:
        """Return what stands in the channel itself."""
        return [message for message in self.messages if message.thread is None]

    def replies(self, post: Posted) -> list[Posted]:
        """Return the thread below a post."""
        return [message for message in self.messages if message.thread == post.ts]

    def delete(self, post: Posted) -> None:
        """Delete a post, as people do."""
        self.messages.remove(post)

    def __call__(self, request: Request) -> Reply:
        """Answer as Slack does: 200, whatever it thinks."""
        answer = self._answer(request)
        return Reply(200, json.dumps(answer), {"Content-Type": "application/json; charset=utf-8"})

    def _answer(self, request: Request) -> dict[str, Any]:
        methods = {"/api/chat.postMessage": self._post, "/api/chat.update": self._update}
        if request.path not in methods:
            return _error("unknown_method")
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _error("invalid_auth")
        if not request.headers.get("Content-Type", "").startswith("application/json"):
            return _error("invalid_form_data")
        if self.calls == 0:
            return _error("internal_error")
        self.calls = self.calls and self.calls - 1
        arguments = request.json
        return _misshapen(arguments) or methods[request.path](arguments)

    def _post(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if arguments["channel"] not in {CHANNEL, "#alerts"}:
            return _error("channel_not_found")
        thread = arguments.get("thread_ts")
        if thread and thread not in {post.ts for post in self.posts}:
            return _error("thread_not_found")
        message = Posted(
            ts=f"1263783900.{next(self.numbers):06}",
            text=arguments["text"],
            blocks=arguments["blocks"],
            thread=thread,
            loud=bool(arguments.get("reply_broadcast")),
        )
        self.messages.append(message)
        return {"ok": True, "channel": CHANNEL, "ts": message.ts, "message": arguments}

    def _update(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if arguments["channel"] != CHANNEL:  # this method takes no name
            return _error("channel_not_found")
        if len(arguments["text"]) > 4000:
            return _error("msg_too_long")
        known = {message.ts: message for message in self.messages}
        if not (message := known.get(arguments["ts"])):
            return _error("message_not_found")
        message.text, message.blocks = arguments["text"], arguments["blocks"]
        message.edits += 1
        return {"ok": True, "channel": CHANNEL, "ts": message.ts, "text": message.text}


def _misshapen(arguments: dict[str, Any]) -> dict[str, Any] | None:
    if not arguments.get("text") and not arguments.get("blocks"):
        return _error("no_text")
    texts = [block["text"]["text"] for block in arguments.get("blocks", [])]
    if len(texts) > 50 or any(not 0 < len(text) <= 3000 for text in texts):
        return _error("invalid_blocks")
    return None


def _error(word: str) -> dict[str, Any]:
    return {"ok": False, "error": word}


def api_server(workspace: SlackApi) -> WebServer:
    """Return the server of a workspace; its methods are below `/api`."""
    return WebServer(workspace)


def refused(word: str, status: int = 200, **headers: str) -> Reply:
    """Return the answer of a server that does not like a call."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(status, json.dumps(_error(word)), named)

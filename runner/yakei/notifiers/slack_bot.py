"""Tells a Slack channel as a bot: one post for an incident, its history in the thread below it.

The methods, their arguments and errors are those of https://api.slack.com/methods/chat.postMessage
and chat.update; the token needs the scope `chat:write`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from yakei.notifiers.errors import DeliveryError
from yakei.notifiers.exchange import check_url
from yakei.notifiers.expected import refuse_clear_text, refuse_no_time, refuse_odd_token
from yakei.notifiers.identity import identity
from yakei.notifiers.slack_api import Said, call
from yakei.notifiers.slack_layout import (
    COLOURS,
    body_of,
    fenced,
    heading,
    links,
    payload,
    posted,
    sections,
    subject_of,
)
from yakei.notifiers.slack_posts import Post, Posts
from yakei.notifiers.slack_threads import continued, in_short, is_loud

if TYPE_CHECKING:
    from yakei.incidents.remembered import Incident
    from yakei.message import Message

_GONE = {"message_not_found", "thread_not_found", "cannot_reply_to_message"}
"""Somebody has deleted the post that a thread or an update belongs to."""

_SCREEN = 45
"""Lines of a post: what is seen without scrolling, and how long the first part of a text is."""
_FIXED = {"cant_update_message", "edit_window_closed"}
"""The workspace does not let messages be edited, or not for so long."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The keys of `[notify.NAME]` with `kind = "slack-bot"`."""

    token: str = field(repr=False, metadata={"secret": True})
    """The bot token, `xoxb-…`."""
    channel: str
    """`#alerts`, or the channel's id."""
    api: str = "https://slack.com/api"
    """Where the methods are, for servers that are Slack's in kind."""
    timeout: timedelta = timedelta(seconds=10)
    """For all that one message takes."""

    def __post_init__(self) -> None:
        try:
            check_url(self.api)
            refuse_clear_text(self.api)
        except ValueError as error:
            raise ValueError(f"api: {error}") from None
        refuse_odd_token(self.token)
        refuse_no_time(self.timeout)


@dataclass(frozen=True)
class SlackBot:
    """Posts new incidents, and tells what becomes of them in their threads."""

    name: str
    settings: Settings

    def notify(self, message: Message) -> None:
        """Post the message by itself.

        Raises:
            DeliveryError: Slack has not taken it.
        """
        said = self._call("chat.postMessage", {**self._place, **payload(message)}, self._ends())
        if said.refusal:
            raise said.refusal

    def converse(self, message: Message, memory: dict[str, Any]) -> None:
        """Post what is new, and tell each earlier post's thread what is its own.

        Raises:
            DeliveryError: Slack has not taken all of it; `memory` knows what it has taken.
        """
        if not message.items:
            self.notify(message)
            return
        posts, ends = Posts.read(memory), self._ends()
        try:
            while self._tell(posts, message, ends):
                pass  # a post was deleted, so its incidents are new to the channel
            posts.forget(message.created)
        finally:
            memory.update(posts.document())

    def show(self, incidents: Iterable[Incident], now: datetime, memory: dict[str, Any]) -> None:
        """Let the posts show which of their incidents are acknowledged or over."""
        posts, ends = Posts.read(memory), self._ends()
        known = {incident.id or incident.key: incident for incident in incidents}
        for each in tuple(posts.posts):
            each.follow(known, now)
            if time.monotonic() < ends and not self._update(each, ends):
                posts.posts.remove(each)
        posts.forget(now)
        memory.update(posts.document())

    def _tell(self, posts: Posts, message: Message, ends: float) -> bool:
        """Take the steps that are left; return whether there are new ones because of them.

        The whole text goes to the first place that is told: a new post, or else the thread of the
        worst incident; the other threads get a line for each incident of theirs.
        """
        first, gone = self._post(posts, message, ends) or posts.told_of(message), False
        for each, items in posts.concerned(message):
            content = in_short(items) if first else payload(message)
            first = first or each
            if there := self._reply(each, content, ends, loud=is_loud(items)):
                each.take(items, message)
                there = self._update(each, ends)
            if not there:
                posts.posts.remove(each)
                gone = True
        return gone

    def _post(self, posts: Posts, message: Message, ends: float) -> Post | None:
        """Return the post of a message that tells of something new; it is made unless it is."""
        strangers, made = posts.strangers(message.items), posts.made_for(message)
        if strangers and made is None:
            made = self._begin(message, ends)
            posts.posts.append(made)
            made.take(strangers if made.ts else (), message)
            made.stale = False
        elif made and made.ts:
            made.take(strangers, message)
        if made and made.owed:
            rest = sections(body_of(message), screen=_SCREEN)[1:]
            self._reply(made, continued(made.subject, rest), ends, loud=False)
            made.owed = False
        return made

    def _begin(self, message: Message, ends: float) -> Post:
        body, *rest = sections(body_of(message), screen=_SCREEN) or [""]
        said = self._call("chat.postMessage", {**self._place, **_opening(message, body)}, ends)
        if said.refusal:
            raise said.refusal
        return Post(
            channel=said.channel or self.settings.channel,
            ts=said.ts,
            origin=identity(message),
            heard=identity(message),
            at=message.created.isoformat(),
            subject=subject_of(message),
            body=body,
            owed=bool(rest and said.ts),
        )

    def _reply(self, to: Post, content: Mapping[str, Any], ends: float, *, loud: bool) -> bool:
        """Say something in a thread; return whether there is one."""
        place = {"channel": to.channel, "thread_ts": to.ts, "reply_broadcast": loud}
        said = self._call("chat.postMessage", {**place, **content}, ends)
        if said.refusal and said.word not in _GONE:
            raise said.refusal
        return said.refusal is None

    def _update(self, post: Post, ends: float) -> bool:
        """Let a post show how things stand; return whether it is there.

        What people had to hear is in the thread by now, so that a failure is left to `show`.
        """
        if not post.stale or post.fixed:
            return True
        try:
            place = {"channel": post.channel, "ts": post.ts}
            said = self._call("chat.update", {**place, **post.shown()}, ends)
        except DeliveryError:
            return True
        post.stale, post.fixed = said.refusal is not None, said.word in _FIXED
        return said.word not in _GONE

    def _call(self, method: str, arguments: Mapping[str, Any], ends: float) -> Said:
        url = f"{self.settings.api.rstrip('/')}/{method}"
        return call(url, self.settings.token, arguments, ends)

    def _ends(self) -> float:
        return time.monotonic() + self.settings.timeout.total_seconds()

    @property
    def _place(self) -> Mapping[str, Any]:
        return {"channel": self.settings.channel}


def notifier(name: str, settings: Settings) -> SlackBot:
    """Return the channel of `[notify.NAME]`; nothing is sent yet."""
    return SlackBot(name, settings)


def _opening(message: Message, body: str) -> dict[str, Any]:
    """Return what a post says at first: one screen; what is longer follows in its thread."""
    first = fenced([body]) if body else []
    blocks = [heading(COLOURS[message.severity], subject_of(message)), *first, *links(body)]
    return posted(f"{subject_of(message)}\n{body}", blocks)

"""Remembers which post tells of which incident, and how each of them stands; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from yakei.incidents.remembered import Reason
from yakei.notifiers.identity import identity
from yakei.notifiers.slack_layout import (
    COLOURS,
    WELL,
    escaped,
    fenced,
    heading,
    links,
    posted,
    section,
)
from yakei.results import Severity
from yakei.words import cut, one_line

if TYPE_CHECKING:
    from yakei.incidents.remembered import Incident
    from yakei.message import Item, Message

_KEPT = timedelta(days=30)
"""How long a post is remembered that nothing more is told of; its thread is forgotten by then."""
_MOST = 100
"""Posts that are remembered: the state is read in every run."""
_ROWS = 15
"""Incidents of a post that get a line each once one of them has changed."""
_SAID = 150
"""Characters of such a line, without its state and time."""
_OVER = frozenset({"recovered", "over"})
"""What an incident is not heard of after."""
_ACKNOWLEDGED = "acknowledged by "
STATES = {
    Reason.NEW: "failing",
    Reason.RUN_BROKEN: "failing",
    Reason.KNOWN_ISSUE_EXPIRED: "failing, its known issue has expired",
    Reason.REMINDER: "still failing",
    Reason.WORSE: "worse",
    Reason.CHANGED: "failing in another way",
    Reason.ESCALATED: "still failing, and told to more people",
    Reason.FLAPPING: "flapping",
    Reason.RECOVERED: "recovered",
}
"""How an incident stands; a reason that is not here tells of nothing that goes on."""


@dataclass
class Row:
    """One incident of a post."""

    said: str
    severity: str
    state: str
    at: str
    """Since when it stands so, in ISO 8601."""

    @property
    def over(self) -> bool:
        """Whether nothing more is to come."""
        return self.state in _OVER

    def line(self) -> str:
        """Return the line that people see, with the time in this host's zone."""
        mark = WELL if self.over else COLOURS[Severity(self.severity)]
        when = datetime.fromisoformat(self.at).astimezone()
        return f"{mark} {escaped(self.said)} - *{escaped(self.state)}* {when:%Y-%m-%d %H:%M %z}"


@dataclass
class Post:
    """One message in a channel, with the thread below it."""

    channel: str
    """As Slack calls it: `chat.update` takes no name."""
    ts: str
    """Slack's id of the message within its channel."""
    origin: str
    """The message that it was made for."""
    heard: str
    """The last message that was told in it or its thread."""
    at: str
    """When that was, in ISO 8601."""
    subject: str
    body: str
    """The first section of the text, which stays through all updates."""
    rows: dict[str, Row] = field(default_factory=dict)
    """By the incident's id."""
    owed: bool = False
    """Whether the rest of a long text has still to go to the thread."""
    stale: bool = False
    """Whether Slack shows something else than `rows` say."""
    fixed: bool = False
    """Whether Slack has refused for good to change it."""

    @property
    def over(self) -> bool:
        """Whether all of its incidents are over, and everybody can see that."""
        return all(row.over for row in self.rows.values()) and (self.fixed or not self.stale)

    def take(self, items: Iterable[Item], message: Message) -> None:
        """Remember how these incidents stand after a message."""
        for item in items:
            if state := STATES.get(item.reason):
                said = cut(f"{one_line(item.label)}: {one_line(item.fact)}", _SAID)
                self._put(item_id(item), said, item.severity, state, message.created)
        self.heard, self.at = identity(message), message.created.isoformat()

    def follow(self, incidents: Mapping[str, Incident], now: datetime) -> None:
        """Remember how its incidents stand in this run, where people would see a difference."""
        for key, row in self.rows.items():
            incident = incidents.get(key)
            if row.over:
                continue
            if incident is None:
                self._put(key, row.said, Severity(row.severity), "over", now)
            elif incident.acknowledged and not row.state.startswith(_ACKNOWLEDGED):
                state = _ACKNOWLEDGED + cut(one_line(incident.acknowledged.by), _SAID)
                self._put(key, row.said, incident.severity, state, now)

    def shown(self) -> dict[str, Any]:
        """Return the post as it now reads, for `chat.update`."""
        going_on = [row for row in self.rows.values() if not row.over]
        worst = min((row.severity for row in going_on), default="")  # "critical" < "warning"
        mark = COLOURS[Severity(worst)] if worst else WELL
        ordered = sorted(self.rows.values(), key=lambda row: row.over)
        lines = [row.line() for row in ordered[:_ROWS]]
        if more := ordered[_ROWS:]:
            over = sum(row.over for row in more)
            lines.append(f"… and {len(more)} more: {len(more) - over} failing, {over} over")
        text = f"{self.subject}\n" + "\n".join(f"{row.said} - {row.state}" for row in ordered)
        body = [*fenced([self.body] if self.body else []), *links(self.body)]
        return posted(text, [heading(mark, self.subject), *map(section, lines), *body])

    def _put(self, key: str, said: str, severity: Severity, state: str, at: datetime) -> None:
        self.rows[key] = Row(said, severity.value, state, at.isoformat())
        self.stale = True


@dataclass
class Posts:
    """What a channel remembers of its posts, oldest first."""

    posts: list[Post] = field(default_factory=list)

    @classmethod
    def read(cls, memory: Mapping[str, Any]) -> Self:
        """Return what was remembered; a document of another version is as good as none."""
        try:
            return cls([_post(**each) for each in memory.get("posts", ())])
        except (TypeError, AttributeError):
            return cls()

    def document(self) -> dict[str, Any]:
        """Return what to remember, in plain JSON values."""
        return {"posts": [asdict(post) for post in self.posts]}

    def made_for(self, message: Message) -> Post | None:
        """Return the post that a message has got, when an earlier try came so far."""
        said = identity(message)
        return next((post for post in self.posts if post.origin == said), None)

    def told_of(self, message: Message) -> Post | None:
        """Return a post whose thread has heard a message, when an earlier try came so far."""
        said = identity(message)
        return next((post for post in self.posts if post.heard == said), None)

    def strangers(self, items: Sequence[Item]) -> list[Item]:
        """Return the items that no post tells of."""
        return [item for item in items if self._of(item) is None]

    def concerned(self, message: Message) -> Iterator[tuple[Post, list[Item]]]:
        """Yield each post that has still to be told of a message, with the items of its own."""
        said = identity(message)
        for post in tuple(self.posts):
            own = [item for item in message.items if self._of(item) is post]
            if own and post.heard != said:
                yield post, own

    def forget(self, now: datetime) -> None:
        """Forget what is over, what is old, and what is too much."""
        since = (now - _KEPT).isoformat()
        self.posts = [post for post in self.posts if not post.over and post.at >= since][-_MOST:]

    def _of(self, item: Item) -> Post | None:
        # the newest: an incident has two when its first post was deleted
        known = (post for post in reversed(self.posts) if item_id(item) in post.rows)
        return next(known, None)


def _post(rows: Mapping[str, Any], **known: Any) -> Post:
    return Post(**known, rows={key: Row(**row) for key, row in rows.items()})


def item_id(item: Item) -> str:
    """Return what the incident of an item is remembered by."""
    return item.incident or item.key

"""Writes what a thread is told when the whole text of a message is said elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from yakei.incidents.remembered import Reason
from yakei.notifiers.slack_layout import COLOURS, WELL, escaped, fenced, posted, section
from yakei.notifiers.slack_posts import STATES
from yakei.words import counted, cut, one_line

if TYPE_CHECKING:
    from yakei.message import Item

_ROWS = 15
"""Incidents of one thread that get a line each."""
_SAID = 300
"""Characters of such a line."""
_LOUD = {Reason.REMINDER, Reason.WORSE, Reason.ESCALATED, Reason.KNOWN_ISSUE_EXPIRED}
"""What the whole channel sees although it stands in a thread: somebody has to act."""


def is_loud(items: Iterable[Item]) -> bool:
    """Return whether the whole channel has to see what a thread is told of these."""
    return any(item.reason in _LOUD for item in items)


def in_short(items: Sequence[Item]) -> dict[str, Any]:
    """Return one reply for all of them, with a line for each."""
    lines = [_line(item) for item in items[:_ROWS]]
    if more := len(items) - _ROWS:
        lines += [f"… and {more} more"] if more > 0 else []
    content = posted("\n".join(one_line(item.label) for item in items), [])
    return {**content, "blocks": [section(line) for line in lines]}


def continued(subject: str, parts: Sequence[str]) -> dict[str, Any]:
    """Return the reply with what a post had no room for."""
    return posted(f"{subject} (continued)", fenced(parts))


def _line(item: Item) -> str:
    mark = WELL if item.reason is Reason.RECOVERED else COLOURS[item.severity]
    said = cut(f"{one_line(item.label)}: {one_line(item.fact)}", _SAID)
    state = STATES.get(item.reason, str(item.reason))
    return f"{mark} {escaped(said)} - *{escaped(state)}*, {counted(item.runs, 'run')}"

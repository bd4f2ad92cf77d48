"""Lays messages out in Slack's blocks, within their limits, and takes the power out of data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from yakei.notifiers.links import links_in
from yakei.results import Severity
from yakei.words import clean, cut, one_line

if TYPE_CHECKING:
    from yakei.message import Message

SECTION = 2900
"""Characters of one section; Slack refuses more than 3000, and the code fence needs some."""
_SECTIONS = 10
"""Sections that a body may fill: far more than anybody reads in a chat, and Slack takes 50."""
_LINE = 500
"""Characters of one line, which must fit a section even when each becomes five (`&amp;`)."""
_SUBJECT = 300
_TEXT = 3000
"""Characters of `text`, which Slack shows in a notification, and others as the message."""
_LONGEST_TEXT = 4000
"""Characters of `text` from which on `chat.update` says msg_too_long."""
_LINKS = 5

WELL = ":white_check_mark:"
COLOURS = {Severity.CRITICAL: ":red_circle:", Severity.WARNING: ":large_yellow_circle:"}


def payload(message: Message) -> dict[str, Any]:
    """Return what Slack is sent: the subject in bold, the body as it is aligned, the links."""
    subject, body = subject_of(message), body_of(message)
    mark = COLOURS[message.severity]
    blocks = [heading(mark, subject), *fenced(sections(body)), *links(body)]
    return posted(f"{subject}\n{body}", blocks)


def posted(text: str, blocks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the part of a post that people see; the text is what a notification shows."""
    shown = escaped(cut(text, _TEXT))
    return {
        "text": shown if len(shown) <= _LONGEST_TEXT else escaped(cut(text, _LONGEST_TEXT // 5)),
        "blocks": list(blocks),
        "unfurl_links": False,
        "unfurl_media": False,
    }


def subject_of(message: Message) -> str:
    """Return the subject, which is never empty: Slack takes no empty text."""
    return cut(one_line(message.subject), _SUBJECT) or "(no subject)"


def body_of(message: Message) -> str:
    """Return the body, which cannot end the code block that it stands in."""
    return clean(message.body).strip("\n").replace("```", "'''")


def heading(mark: str, subject: str) -> dict[str, Any]:
    """Return the block that says what it is about."""
    return section(f"{mark} *{escaped(subject)}*")


def fenced(parts: Sequence[str]) -> list[dict[str, Any]]:
    """Return parts of a body as blocks that keep their alignment."""
    return [section(f"```\n{escaped(part)}\n```") for part in parts]


def links(body: str) -> list[dict[str, Any]]:
    """Return the body's links as blocks: in a code block a URL is no link."""
    found = (url for _, url in links_in(body) if len(url) <= _LINE)
    return [section(f"<{escaped(url)}>") for url in list(dict.fromkeys(found))[:_LINKS]]


def section(text: str) -> dict[str, Any]:
    """Return a block; `verbatim` keeps Slack from reading names and links out of plain text."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def escaped(text: str) -> str:
    """Return the text with what Slack gives a meaning to escaped, such as `<!channel>`."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def sections(body: str, *, screen: int = 0) -> list[str]:
    """Return the body cut into parts that fit a section each, and what is said of the rest.

    Args:
        body: the text.
        screen: the lines that the first part has at most; 0 is as many as fit.
    """
    parts, room = [""], SECTION
    for number, line in enumerate(_lines(body)):
        size = len(escaped(line)) + 1
        if size > room or number == screen > 0:
            parts.append("")
            room = SECTION
        parts[-1] += f"\n{line}" if parts[-1] else line
        room -= size
    kept = [part for part in parts[:_SECTIONS] if part]
    left_out = sum(part.count("\n") + 1 for part in parts[_SECTIONS:])
    return [*kept, f"… {left_out} more lines are in the log"] if left_out else kept


def _lines(body: str) -> Iterator[str]:
    for line in body.split("\n"):
        yield from (line[start : start + _LINE] for start in range(0, max(len(line), 1), _LINE))

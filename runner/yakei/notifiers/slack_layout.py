"""Lays messages out in Slack's blocks, within their limits, and takes the power out of data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from yakei.results import Severity
from yakei.words import clean, cut, one_line

if TYPE_CHECKING:
    from yakei.message import Message

SECTION = 2900
"""Characters of one section; Slack refuses more than 3000, and the code fence needs some."""
SECTIONS = 10
"""Sections that a body may fill: far more than anybody reads in a chat, and Slack takes 50."""
_LINE = 500
"""Characters of one line, which must fit a section even when each becomes five (`&amp;`)."""
_SUBJECT = 300
_TEXT = 3000
"""Characters of `text`, which Slack shows in a notification, and others as the message."""
_LINKS = 5

COLOURS = {Severity.CRITICAL: ":red_circle:", Severity.WARNING: ":large_yellow_circle:"}
_LINK = re.compile(r"https?://[^\s<>|\"'`]+")


def payload(message: Message) -> dict[str, Any]:
    """Return what Slack is sent: the subject in bold, the body as it is aligned, the links."""
    subject, body = subject_of(message), body_of(message)
    fences = fenced(sections(body))
    return posted(
        f"{subject}\n{body}",
        [heading(COLOURS[message.severity], subject), *fences, *links(body)],
    )


def posted(text: str, blocks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the part of a post that people see; the text is what a notification shows."""
    return {
        "text": escaped(text if len(text) <= _TEXT else f"{text[: _TEXT - 1]}…"),
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
    """Return escaped parts of a body as blocks that keep their alignment."""
    return [section(f"```\n{part}\n```") for part in parts]


def links(body: str) -> list[dict[str, Any]]:
    """Return the body's links as blocks: in a code block a URL is no link."""
    found = (url.rstrip(".,;:!?)]}") for url in _LINK.findall(body) if len(url) <= _LINE)
    return [section(f"<{escaped(url)}>") for url in list(dict.fromkeys(found))[:_LINKS]]


def section(text: str) -> dict[str, Any]:
    """Return a block; `verbatim` keeps Slack from reading names and links out of plain text."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def escaped(text: str) -> str:
    """Return the text with what Slack gives a meaning to escaped, such as `<!channel>`."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def sections(body: str, most: int = SECTIONS) -> list[str]:
    """Return the body escaped and cut into sections, and say so when the rest is left out."""
    parts = all_sections(body)
    kept = parts[:most]
    if left_out := sum(part.count("\n") + 1 for part in parts[most:]):
        kept.append(f"… {left_out} more lines are in the log")
    return kept


def all_sections(body: str) -> list[str]:
    """Return the body escaped and cut into sections at its lines, however many there are."""
    parts = [""]
    for line in _lines(body):
        if len(parts[-1]) + len(line) >= SECTION:
            parts.append("")
        parts[-1] += f"\n{line}" if parts[-1] else line
    return [part for part in parts if part]


def _lines(body: str) -> Iterator[str]:
    for line in body.split("\n"):
        for start in range(0, max(len(line), 1), _LINE):
            yield escaped(line[start : start + _LINE])

"""Writes a message as a mail: its headers, its text, and the same once more in HTML."""

from __future__ import annotations

import socket
import textwrap
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from typing import TYPE_CHECKING, Literal

from yakei.notifiers.identity import digest, identity
from yakei.notifiers.markup import page
from yakei.words import clean, cut, cut_middle, one_line

if TYPE_CHECKING:
    from yakei.message import Item, Message

_SUBJECT = 250
"""Characters of a subject, so that a message of foreign making is a mail too; ours have 78."""
_LINE = 76
"""Characters that a line of a header gets; RFC 5322, 2.1.1 allows 78, and Python counts no comma
behind an address."""
_LONGEST_LINE = 990
"""Characters of a body's line that travel as they are; RFC 5322, 2.1.1 allows 998."""
_LARGEST = 62_000
"""Bytes of the whole mail: some relays and phones refuse or cut more than 64 kB."""
_SCREEN = 2_000
"""Characters of a body that are never cut: a screen."""
_DOMAIN = 40
"""Characters of a domain that a message's id can have without passing the line's end."""
_THREADS = 20
"""Incidents of one mail that have a thread: the header is no place for hundreds."""


def compose(message: Message, sender: str | None, to: Sequence[str]) -> EmailMessage:
    """Return the mail; every header is one line, whatever the message holds.

    A message that is sent again after a crash has the Message-ID that it had, so that a mailbox
    may recognise it. Its incidents' mails form a thread: each refers to a root that is never sent,
    made of the incident's id alone, so that the first mail that there is stands at the top. That
    first mail is not the root itself, because two channels may tell of an incident with different
    texts, and some mailboxes keep only one of two mails with the same Message-ID.

    Args:
        message: what to write.
        sender: the address in From; None is yakei at this host.
        to: the addresses in To.
    """
    body = clean(message.body)
    sender = sender or f"yakei@{socket.gethostname()}"
    mail = _assembled(message, sender, to, body)
    while (size := len(mail.as_bytes())) > _LARGEST and len(body) > _SCREEN:
        # Both parts hold the body, each encoded in its own way, so that the size is only known now.
        body = cut_middle(body, len(body.encode()) * _LARGEST * 9 // (size * 10))
        mail = _assembled(message, sender, to, body)
    return mail


def _assembled(message: Message, sender: str, to: Sequence[str], body: str) -> EmailMessage:
    domain = parseaddr(sender)[1].partition("@")[2]
    domain = domain if 0 < len(domain) <= _DOMAIN else "yakei.invalid"
    mail = EmailMessage(policy=_Folding(max_line_length=_LINE))
    mail["From"] = sender
    mail["To"] = ", ".join(to)
    subject = cut(one_line(message.subject), _SUBJECT)
    mail["Subject"] = subject
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = f"<{identity(message)}@{domain}>"
    if roots := list(dict.fromkeys(_roots(message, domain))):
        mail["In-Reply-To"] = roots[0]
        # The last one is the parent (RFC 5322, 3.6.4): the worst incident's.
        mail["References"] = " ".join(reversed(roots))
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"  # Exchange does not know Auto-Submitted
    mail["X-Yakei-Severity"] = message.severity.value
    for name, text in (("Host", message.host), ("Run", message.run_id)):
        if text:
            mail[f"X-Yakei-{name}"] = cut(one_line(text), _SUBJECT)
    html = page(subject, body, message.severity)
    mail.set_content(body, charset="utf-8", cte=_encoding(body))
    mail.add_alternative(html, subtype="html", charset="utf-8", cte=_encoding(html))
    return mail


class _Folding(EmailPolicy):
    """Begins a header on its first line.

    Python begins it on the second when it fits there whole, and some programs show no subject then.
    """

    def fold(self, name: str, value: str) -> str:
        """Return a header in lines."""
        folded = str(super().fold(name, value))
        if folded.partition(self.linesep)[0].strip() != f"{name}:" or not value.isascii():
            return folded
        lines = textwrap.wrap(
            f"{name}: {value}",
            self.max_line_length or _LINE,
            subsequent_indent=" ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        return self.linesep.join([*lines, ""])

    def fold_binary(self, name: str, value: str) -> bytes:
        """Return a header in lines, as it is sent."""
        return self.fold(name, value).encode("ascii")


def _roots(message: Message, domain: str) -> Iterator[str]:
    return (f"<{_root(message.host, item)}@{domain}>" for item in message.items[:_THREADS])


def _root(host: str, item: Item) -> str:
    """Return what stays the same for an incident, and is another's never again."""
    if item.incident:
        return digest(host, item.incident)
    return digest(host, item.key, item.since.isoformat())


def _encoding(text: str) -> Literal["7bit", "quoted-printable", "base64"]:
    """Return how a text travels: as it is if it can, or else in the shorter of two ways."""
    if text.isascii():
        short = all(len(line) <= _LONGEST_LINE for line in text.split("\n"))
        return "7bit" if short else "quoted-printable"
    data = text.encode()
    # Quoted-printable takes three bytes for one of those, base64 four for three of any.
    foreign = sum(byte > 126 for byte in data)  # noqa: PLR2004 - the last printable of ASCII
    return "quoted-printable" if foreign < len(data) / 6 else "base64"

"""Sends mail, by an SMTP server or by the machine's own sendmail."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from email.utils import parseaddr
from typing import TYPE_CHECKING

from yakei.notifiers import relay
from yakei.notifiers.errors import DeliveryError
from yakei.notifiers.exchange import no_answer, within
from yakei.notifiers.expected import refuse_no_time
from yakei.notifiers.letter import compose
from yakei.notifiers.programs import hand_over
from yakei.words import cut, one_line

if TYPE_CHECKING:
    from yakei.message import Message

_ADDRESS = re.compile(r"[!-~]+")
_SPECIAL = re.compile(r"[()<>,;:\\\"\[\]]|@.*@")
_GRACE = 1.0
"""Seconds by which a socket's own timeout comes after the overall one, to end what it left."""
_SENDMAIL_PATHS = ("/usr/sbin", "/usr/lib")
"""Where sendmail is on a machine whose cron has only /usr/bin and /bin on its PATH."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The keys of `[notify.NAME]` with `kind = "email"`."""

    to: tuple[str, ...]
    sender: str | None = field(default=None, metadata={"key": "from"})
    """The address in From; without it yakei at this host."""
    smtp: str | None = field(default=None, repr=False, metadata={"secret": True})
    """`smtp://user:password@host:587?starttls=1` or `smtps://…`; without it the local sendmail."""
    timeout: timedelta = timedelta(seconds=10)
    """For the whole delivery, the name's resolution included."""

    def __post_init__(self) -> None:
        if not self.to:
            raise ValueError("to: expected at least one address")
        sender = () if self.sender is None else (("from", self.sender),)
        for key, address in (*(("to", one) for one in self.to), *sender):
            if not _is_address(address):
                raise ValueError(
                    f'{key}: expected an address such as "ops@example.com" or '
                    f'"Name <ops@example.com>", got "{cut(one_line(address), 40)}"'
                )
        refuse_no_time(self.timeout)
        if self.smtp is not None:
            try:
                relay.parse_relay(self.smtp)
            except ValueError as error:
                raise ValueError(f"smtp: {error}") from None


@dataclass(frozen=True)
class Email:
    """Sends each message as one mail, in text and HTML, to all recipients."""

    name: str
    settings: Settings

    def notify(self, message: Message) -> None:
        """Send the message, and return when the server or sendmail has taken it.

        Raises:
            DeliveryError: it was not taken, or not for every recipient (`delivered` is then set).
        """
        mail = compose(message, self.settings.sender, self.settings.to)
        seconds = self.settings.timeout.total_seconds()
        if self.settings.smtp is None:
            _by_sendmail(mail, seconds)
        else:
            _by_smtp(mail, self.settings.to, relay.parse_relay(self.settings.smtp), seconds)


def notifier(name: str, settings: Settings) -> Email:
    """Return the channel of `[notify.NAME]`; nothing is sent yet."""
    return Email(name, settings)


def _is_address(text: str) -> bool:
    """Return whether this is one address, and nothing that would add a header or a recipient."""
    if text != one_line(text) or "," in text or ";" in text:
        return False
    address = parseaddr(text)[1]
    local, at, domain = address.partition("@")
    shaped = bool(_ADDRESS.fullmatch(address)) and not _SPECIAL.search(address)
    whole = text == address or text.endswith(f" <{address}>")
    return shaped and whole and bool(local) and bool(domain) == bool(at)


def _by_smtp(mail: EmailMessage, to: tuple[str, ...], server: relay.Relay, seconds: float) -> None:
    recipients = [parseaddr(one)[1] for one in to]
    try:
        refused = within(seconds, lambda: relay.send(server, mail, recipients, seconds + _GRACE))
    except TimeoutError:
        failure: DeliveryError | None = DeliveryError(no_answer(seconds))
    except (OSError, ValueError) as error:
        failure = relay.trouble(error, server)
    else:
        failure = relay.refusal(refused, server, everybody=False) if refused else None
    if failure:
        raise failure


def _by_sendmail(mail: EmailMessage, seconds: float) -> None:
    places = [*os.environ.get("PATH", os.defpath).split(os.pathsep), *_SENDMAIL_PATHS]
    program = shutil.which("sendmail", path=os.pathsep.join(filter(None, places)))
    if not program:
        raise DeliveryError(
            "no sendmail on PATH, in /usr/sbin or /usr/lib; install one, or set smtp"
        )
    # the recipients stand in the mail's own header
    hand_over([program, "-t", "-i"], mail.as_bytes(), seconds, name="sendmail")

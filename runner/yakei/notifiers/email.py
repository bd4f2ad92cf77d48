"""Sends mail, by an SMTP server or by the machine's own sendmail."""

from __future__ import annotations

import email.policy
import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import TYPE_CHECKING, BinaryIO

from yakei.notifiers import relay
from yakei.notifiers.errors import DeliveryError
from yakei.notifiers.exchange import no_answer, reason, within
from yakei.words import clean, cut, one_line

if TYPE_CHECKING:
    from yakei.message import Message

_ADDRESS = re.compile(r"[!-~]+")
_SPECIAL = re.compile(r"[()<>,;:\\\"\[\]]|@.*@")
_SUBJECT = 250
_LONGEST_LINE = 990
"""Characters of a body's line that travel as they are; RFC 5322, 2.1.1 allows 998."""
_GRACE = 1.0
"""Seconds by which a socket's own timeout comes after the overall one, to end what it left."""
_SENDMAIL_PATHS = ("/usr/sbin", "/usr/lib")
"""Where sendmail is on a machine whose cron has only /usr/bin and /bin on its PATH."""
_USELESS_TO_REPEAT = range(64, 69)
"""sysexits.h: usage, data, no input, no such user, no such host."""
_SAID = 100


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
        if self.timeout <= timedelta(0):
            raise ValueError('timeout: expected a duration longer than "0s"')
        if self.smtp is not None:
            try:
                relay.parse_relay(self.smtp)
            except ValueError as error:
                raise ValueError(f"smtp: {error}") from None


@dataclass(frozen=True)
class Email:
    """Sends each message as one plain-text mail to all recipients."""

    name: str
    settings: Settings

    def notify(self, message: Message) -> None:
        """Send the message, and return when the server or sendmail has taken it.

        Raises:
            DeliveryError: it was not taken, or not for every recipient (`delivered` is then set).
        """
        mail = compose(message, self.settings)
        seconds = self.settings.timeout.total_seconds()
        if self.settings.smtp is None:
            _by_sendmail(mail, seconds)
        else:
            _by_smtp(mail, self.settings.to, relay.parse_relay(self.settings.smtp), seconds)


def notifier(name: str, settings: Settings) -> Email:
    """Return the channel of `[notify.NAME]`; nothing is sent yet."""
    return Email(name, settings)


def compose(message: Message, settings: Settings) -> EmailMessage:
    """Return the mail; every header is one line, whatever the message holds.

    A message that is sent again after a crash has the Message-ID that it had, so that a mailbox
    may recognise it.
    """
    sender = settings.sender or f"yakei@{socket.gethostname()}"
    identity = f"{message.run_id}\n{message.created.isoformat()}\n{message.subject}"
    digest = hashlib.sha256(identity.encode(errors="replace")).hexdigest()[:32]
    # Folded at 78 characters, a long subject would begin with an empty line.
    mail = EmailMessage(policy=email.policy.default.clone(max_line_length=_LONGEST_LINE))
    mail["From"] = sender
    mail["To"] = ", ".join(settings.to)
    mail["Subject"] = cut(one_line(message.subject), _SUBJECT)
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = f"<{digest}@{parseaddr(sender)[1].partition('@')[2] or 'localhost'}>"
    mail["Auto-Submitted"] = "auto-generated"
    if message.run_id:
        mail["X-Yakei-Run"] = cut(one_line(message.run_id), _SUBJECT)
    body = clean(message.body)
    plain = body.isascii() and all(len(line) <= _LONGEST_LINE for line in body.split("\n"))
    mail.set_content(body, charset="utf-8", cte="7bit" if plain else "quoted-printable")
    return mail


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
    # files and not pipes: a sendmail that delivers in the background keeps its descriptors open
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said:
        given.write(mail.as_bytes())
        given.seek(0)
        status = _exit_status(program, given, said, seconds)
        said.seek(0)
        words = cut(one_line(said.read(_SAID * 4).decode(errors="replace")), _SAID)
    if status:
        how = f"exited with {status}" if status > 0 else f"was ended by signal {-status}"
        problem = f"sendmail {how}: {words}" if words else f"sendmail {how}"
        raise DeliveryError(problem, permanent=status in _USELESS_TO_REPEAT)


def _exit_status(program: str, given: BinaryIO, said: BinaryIO, seconds: float) -> int:
    """Return the status of `sendmail -t -i`, whose recipients stand in the mail's own header."""
    command = [program, "-t", "-i"]
    try:
        process = subprocess.Popen(
            command, stdin=given, stdout=said, stderr=said, start_new_session=True
        )
    except OSError as error:
        raise DeliveryError(f"{program} could not be started: {reason(error)}") from None
    with suppress(subprocess.TimeoutExpired):
        return process.wait(seconds)
    os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):  # one that waits for a dead disk does not even die
        process.wait(_GRACE)
    raise DeliveryError(f"sendmail has not ended within {seconds:.3g} s")

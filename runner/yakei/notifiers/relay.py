"""Hands a mail to an SMTP server: where it is, how it is trusted, and what its refusals mean."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from yakei.notifiers.errors import DeliveryError
from yakei.notifiers.exchange import reason
from yakei.notifiers.expected import is_this_machine
from yakei.words import cut, one_line

_PORTS = {"smtp": 25, "smtps": 465}
_PARAMETERS = {"starttls", "cafile"}
_REFUSED_FOR_GOOD = 500
"""SMTP's replies from here on are permanent, those of 400 to 499 are not (RFC 5321, 4.2.1)."""
_SAID = 100
"""Characters of the server's own words that an error quotes."""

Refusals = Mapping[str, tuple[int, bytes]]
"""The recipients that a server would not take, with its reply, as smtplib gives them."""


@dataclass(frozen=True, kw_only=True)
class Relay:
    """An SMTP server as `smtp://user:password@host:587?starttls=1` describes it."""

    host: str
    port: int
    encryption: Literal["none", "starttls", "tls"]
    user: str = ""
    password: str = field(default="", repr=False)
    cafile: Path | None = None
    """The authorities to trust instead of the system's."""


def parse_relay(url: str) -> Relay:
    """Return the server that a URL describes.

    Raises:
        ValueError: with what is expected, and without the URL, which may hold a password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
        parameters = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True))
    except ValueError:
        parts, port, parameters = SplitResult("", "", "", "", ""), 0, {}
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/") or parts.fragment:
        raise ValueError(
            "expected smtp://user:password@host:587?starttls=1 or smtps://…, "
            "with the special characters of the password percent-encoded"
        )
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not (user + password).isascii() or bool(user) != bool(password):
        raise ValueError("expected a user and a password of ASCII characters, or neither")
    return Relay(
        host=parts.hostname,
        port=port,
        encryption=_encryption(parts, parameters),
        user=user,
        password=password,
        cafile=_cafile(parameters.get("cafile")),
    )


def _encryption(
    parts: SplitResult, parameters: Mapping[str, str]
) -> Literal["none", "starttls", "tls"]:
    if unknown := sorted(parameters.keys() - _PARAMETERS):
        known = ", ".join(sorted(_PARAMETERS))
        raise ValueError(f"expected no other parameter than {known}, got {unknown[0][:20]}")
    starttls = parameters.get("starttls")
    if starttls not in {None, "0", "1"}:
        raise ValueError("expected starttls=1 or starttls=0")
    if parts.scheme == "smtps":
        return "tls"
    if parts.username and starttls is None and not is_this_machine(parts.hostname or ""):
        raise ValueError(
            "expected starttls=1 or smtps://, so that the password does not travel in clear "
            "(starttls=0 if it has to)"
        )
    return "starttls" if starttls == "1" else "none"


def _cafile(text: str | None) -> Path | None:
    if text is None:
        return None
    path = Path(text)
    if not path.is_absolute() or not path.is_file():
        raise ValueError(f"expected cafile= to be the absolute path of a file, got {text}")
    return path


def send(relay: Relay, mail: EmailMessage, recipients: Sequence[str], timeout: float) -> Refusals:
    """Send a mail, and return the recipients that were refused while others were taken.

    The server has the mail when this returns; its answer to QUIT could only make a delivered
    mail look undelivered, so nobody waits for it.

    Raises:
        OSError: no connection, or smtplib's own exceptions; `trouble` reads them.
    """
    smtp = _connected(relay, timeout)
    try:
        if relay.user:
            smtp.login(relay.user, relay.password)
        refused = smtp.send_message(mail, to_addrs=recipients)
        smtp.putcmd("quit")
    finally:
        smtp.close()
    return refused


def _connected(relay: Relay, timeout: float) -> smtplib.SMTP:
    # smtplib would ask the DNS for our name, and the DNS may be what is broken
    own_name = name if "." in (name := socket.gethostname()) else "[127.0.0.1]"
    trust = ssl.create_default_context(cafile=str(relay.cafile) if relay.cafile else None)
    if relay.encryption == "tls":
        return smtplib.SMTP_SSL(
            relay.host, relay.port, local_hostname=own_name, timeout=timeout, context=trust
        )
    smtp = smtplib.SMTP(relay.host, relay.port, local_hostname=own_name, timeout=timeout)
    if relay.encryption == "starttls":
        try:
            smtp.starttls(context=trust)
        except BaseException:
            smtp.close()
            raise
    return smtp


def trouble(error: Exception, relay: Relay) -> DeliveryError:
    """Return what an exception of `send` means, without the password."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return refusal(error.recipients, relay, everybody=True)
    if isinstance(error, smtplib.SMTPAuthenticationError):
        permanent = error.smtp_code >= _REFUSED_FOR_GOOD
        return DeliveryError(
            f"answered {error.smtp_code} to the user and password", permanent=permanent
        )
    if isinstance(error, smtplib.SMTPResponseException):
        said = _reply(error.smtp_code, error.smtp_error, relay)
        return DeliveryError(f"answered {said}", permanent=error.smtp_code >= _REFUSED_FOR_GOOD)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        wanted = "STARTTLS" if "STARTTLS" in str(error) else "what the mail needs (AUTH, SMTPUTF8)"
        return DeliveryError(f"the server does not offer {wanted}", permanent=True)
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return DeliveryError("the server closed the connection")
    return DeliveryError(reason(error))


def refusal(refused: Refusals, relay: Relay, *, everybody: bool) -> DeliveryError:
    """Return an error that names the refused recipients with the server's reply to each."""
    replies = [f"{who}: {_reply(*reply, relay)}" for who, reply in refused.items()]
    whom = "every recipient" if everybody else f"{len(refused)} of the recipients"
    permanent = all(code >= _REFUSED_FOR_GOOD for code, _ in refused.values())
    return DeliveryError(
        f"refused {whom}: {'; '.join(replies)}", permanent=permanent, delivered=not everybody
    )


def _reply(code: int, text: bytes | str, relay: Relay) -> str:
    """Return a reply in one line; one that repeats the password is not quoted."""
    said = cut(one_line(text.decode(errors="replace") if isinstance(text, bytes) else text), _SAID)
    if relay.password and relay.password in said:
        return str(code)
    return f"{code} {said}".strip()

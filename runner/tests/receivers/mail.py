"""An SMTP server with its certificate, and a sendmail."""

from __future__ import annotations

import asyncio
import datetime as dt
import email
import email.policy
import ipaddress
import shlex
import ssl
import threading
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Literal, NamedTuple, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Mail(NamedTuple):
    """A mail that a server or sendmail was given."""

    recipients: list[str]
    raw: bytes
    encrypted: bool
    user: str | None

    @property
    def message(self) -> EmailMessage:
        """Return the mail as a mail program reads it."""
        return email.message_from_bytes(self.raw, policy=email.policy.default)

    @property
    def text(self) -> str:
        """Return the decoded body, as a program for text shows it."""
        return self.part("plain")

    def part(self, kind: Literal["plain", "html"]) -> str:
        """Return one of the decoded alternatives."""
        found = self.message.get_body((kind,))
        assert found
        return str(found.get_content())


class _Protocol(SMTP):
    """What the server says, but for a line that it cuts off when it is told to."""

    async def push(self, status: str | bytes) -> None:
        """Send a reply; the one that asks for the mail is the last that some servers send."""
        text = status if isinstance(status, str) else status.decode()
        await super().push(status)
        if text.startswith("354") and self.event_handler.drop == "before the mail":
            assert self.transport
            self.transport.abort()


@dataclass
class MailServer:
    """An SMTP server on a free port; what it refuses is set before the client comes."""

    refused: dict[str, str] = field(default_factory=dict)
    """Replies to RCPT by recipient, such as `550 5.1.1 no such user`."""
    data_reply: str = "250 2.0.0 queued"
    login: tuple[str, str] | None = None
    encryption: Literal["none", "starttls", "tls"] = "none"
    certificate: Certificate | None = None
    login_reply: str = "535 5.7.8 no"
    """To a wrong user or password, which it repeats, as a chatty server does."""
    drop: Literal["", "before the mail", "after the mail", "after taking it"] = ""
    """When to break the connection instead of answering."""
    silent: bool = False
    """Whether it never answers to a mail."""
    mails: list[Mail] = field(default_factory=list)
    port: int = 0

    def __enter__(self) -> Self:
        ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_until_complete, args=(self._serve(ready),)
        )
        self._thread.start()
        ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()
        self._loop.close()

    async def _serve(self, ready: threading.Event) -> None:
        self._closing = asyncio.Event()
        context = self.certificate.context() if self.certificate else None
        implicit = context if self.encryption == "tls" else None
        starttls = context if self.encryption == "starttls" else None
        server = await self._loop.create_server(
            lambda: _Protocol(
                self,
                loop=self._loop,
                hostname="receiver",
                tls_context=starttls,
                authenticator=self._judge,
                auth_required=bool(self.login and starttls),
                auth_require_tls=bool(starttls),
            ),
            "127.0.0.1",
            0,
            ssl=implicit,
        )
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._closing.wait()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _judge(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object
    ) -> AuthResult:
        if isinstance(data, LoginPassword) and self.login:
            given = (data.login.decode(), data.password.decode())
            if given == self.login:
                return AuthResult(success=True, auth_data=given[0])
            message = f"{self.login_reply} {given}"
            return AuthResult(success=False, handled=False, message=message)
        return AuthResult(success=False, handled=False)

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd looks for
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: object
    ) -> str:
        """Answer to a recipient."""
        if reply := self.refused.get(address):
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - the name that aiosmtpd looks for
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Keep a mail, or answer what was set."""
        if self.silent:
            await self._closing.wait()
        if self.data_reply.startswith("250") and self.drop in {"", "after taking it"}:
            content = envelope.content
            assert isinstance(content, bytes)
            encrypted = bool(session.ssl) or self.encryption == "tls"
            recipients = list(envelope.rcpt_tos)
            self.mails.append(Mail(recipients, content, encrypted, session.auth_data))
        if self.drop and server.transport:
            server.transport.abort()
        return self.data_reply


@dataclass(frozen=True)
class Certificate:
    """A throw-away certificate for 127.0.0.1, which is its own authority."""

    path: Path
    """The certificate, to be trusted with `cafile`."""
    key: Path

    @classmethod
    def make(cls, folder: Path) -> Certificate:
        """Return a new one, written to a folder."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver")])
        now, day = dt.datetime.now(dt.UTC), dt.timedelta(days=1)
        here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), 1, now - day, now + day)
            .add_extension(here, critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        made = cls(folder / "certificate.pem", folder / "key.pem")
        made.path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        made.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return made

    def context(self) -> ssl.SSLContext:
        """Return what a server needs to show this certificate."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.path, self.key)
        return context


@dataclass(frozen=True)
class Sendmail:
    """A sendmail in a folder of its own, which keeps what it was given."""

    folder: Path

    @classmethod
    def install(cls, folder: Path, ending: str = "exit 0") -> Sendmail:
        """Write the program; `ending` is the shell's last line, such as `exit 75`."""
        program = folder / "sendmail"
        kept = shlex.quote(str(folder))
        program.write_text(
            f'#!/bin/sh\necho "$@" > {kept}/arguments\n/bin/cat > {kept}/mail\n{ending}\n'
        )
        program.chmod(0o755)
        return cls(folder)

    @property
    def arguments(self) -> str:
        """Return what it was started with."""
        return (self.folder / "arguments").read_text().strip()

    @property
    def mail(self) -> Mail:
        """Return the mail that it was given last."""
        return Mail([], (self.folder / "mail").read_bytes(), encrypted=False, user=None)

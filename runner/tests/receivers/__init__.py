"""Real receivers for what the runner sends: web, SMTP and stubborn servers, and a sendmail."""

from __future__ import annotations

from receivers.mail import Certificate, Mail, MailServer, Sendmail
from receivers.messages import WRITTEN, a_message
from receivers.web import (
    SILENCE,
    Reply,
    Request,
    WebServer,
    healthchecks_server,
    slack_server,
    stubborn_server,
)

__all__ = [
    "SILENCE",
    "WRITTEN",
    "Certificate",
    "Mail",
    "MailServer",
    "Reply",
    "Request",
    "Sendmail",
    "WebServer",
    "a_message",
    "healthchecks_server",
    "slack_server",
    "stubborn_server",
]

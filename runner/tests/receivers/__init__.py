"""Real receivers for what the runner sends: web, SMTP and stubborn servers, and a sendmail."""

from __future__ import annotations

from receivers.mail import Certificate, Mail, MailServer, Sendmail
from receivers.messages import WRITTEN, a_message, an_item
from receivers.slack_api import CHANNEL, TOKEN, Posted, SlackApi, api_server, refused
from receivers.web import (
    SILENCE,
    Reply,
    Request,
    WebServer,
    healthchecks_server,
    json_server,
    slack_server,
    stubborn_server,
)

__all__ = [
    "CHANNEL",
    "SILENCE",
    "TOKEN",
    "WRITTEN",
    "Certificate",
    "Mail",
    "MailServer",
    "Posted",
    "Reply",
    "Request",
    "Sendmail",
    "SlackApi",
    "WebServer",
    "a_message",
    "an_item",
    "api_server",
    "healthchecks_server",
    "json_server",
    "refused",
    "slack_server",
    "stubborn_server",
]

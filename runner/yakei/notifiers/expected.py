"""Refuses settings that no channel could work with, and says what is expected instead."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit


def refuse_no_time(timeout: timedelta) -> None:
    """Refuse a channel's `timeout` in which nothing could be delivered.

    Raises:
        ValueError: with what is expected.
    """
    if timeout <= timedelta(0):
        raise ValueError('timeout: expected a duration longer than "0s"')


def refuse_clear_text(url: str) -> None:
    """Refuse an address to which a token would travel in clear, but for this machine's own.

    Raises:
        ValueError: with what is expected, and without the address.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and not is_this_machine(parts.hostname or ""):
        raise ValueError("expected https://…, so that the token does not travel in clear")


def is_this_machine(host: str) -> bool:
    """Return whether a host of an address is the one that we run on."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def refuse_odd_token(token: str) -> None:
    """Refuse a token that no header can carry.

    Raises:
        ValueError: with what is expected, and without the token.
    """
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError("token: expected printable ASCII characters without spaces")

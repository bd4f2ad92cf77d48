"""Tells one message from another, the same in every run that has to send it again."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from yakei.message import Message

_LENGTH = 32
"""Hexadecimal digits: 128 bits, which no two messages share by chance."""


def identity(message: Message) -> str:
    """Return a digest of a message that stays when it is sent again, late or after a crash."""
    return digest(message.run_id, message.created.isoformat(), message.subject)


def digest(*parts: str) -> str:
    """Return 32 hexadecimal digits that stand for some texts."""
    return hashlib.sha256("\n".join(parts).encode(errors="replace")).hexdigest()[:_LENGTH]

"""Gives incidents the short names that people type and threads go by."""

from __future__ import annotations

from base64 import b32encode

from yakei.incidents.remembered import Incident

_LENGTH = 6
"""Characters of 5 bits: two of a thousand incidents are alike in one case of two thousand."""


def name_of(key: str, since: str) -> str:
    """Return the name of the incident of this key that began then; the same each time."""
    import hashlib  # with it OpenSSL's library, which a run that tells nothing does not need

    digest = hashlib.sha256(f"{key} {since}".encode(errors="surrogateescape")).digest()
    return b32encode(digest).decode().lower()[:_LENGTH]


def named(incident: Incident) -> str:
    """Return an incident's own name, or the one it is given here."""
    return incident.id or name_of(incident.key, incident.since.isoformat())

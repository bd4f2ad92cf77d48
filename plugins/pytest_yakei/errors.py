"""What a check raises when it could not find out; a false claim is an AssertionError.

CannotTell             the outcome is `error`: the answer is not known
├── NotConfigured      the check asks for something that the configuration does not have
├── QueryFailed        a database answered with an error (pytest_yakei.databases)
└── ResourceUnavailable   the outcome is `not judged`: what the check needs is down
    └── NoConnectionFree  other checks have all the connections that we allow ourselves
"""

from __future__ import annotations


class CannotTell(Exception):  # noqa: N818 - reads as the outcome it stands for
    """The probe got no answer; the text says what was asked, what came back and what to do."""


class NotConfigured(CannotTell):
    """The configuration lacks what the check asks for; `key` is what is missing."""

    def __init__(self, key: str, problem: str) -> None:
        """Say which key is missing, and where it was looked for."""
        super().__init__(f"{key}: {problem}")
        self.key = key


class ResourceUnavailable(CannotTell):
    """A resource that several checks need cannot be had: one cause, one message."""

    def __init__(self, resource: str, reason: str) -> None:
        """Name the resource (`database main`) and the reason, which holds no secret."""
        super().__init__(f"{resource}: {reason}")
        self.resource = resource
        self.reason = reason


class NoConnectionFree(ResourceUnavailable):
    """Other checks kept all the connections that the configuration allows for too long."""

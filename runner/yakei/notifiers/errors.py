"""The one exception of a delivery that failed."""

from __future__ import annotations

from collections.abc import Callable


class DeliveryError(Exception):
    """A message did not arrive, or not with everybody.

    The text is a few words that continue "slack failed: …": what came back and from where. It
    never holds a secret, nor a server's own words without their having been cleaned.

    Attributes:
        permanent: trying the same again is useless until somebody changes something.
        retry_after: seconds that the receiver asked us to wait, where it said so.
        delivered: the message is with some recipients; the text says who was refused.
    """

    def __init__(
        self,
        problem: str,
        *,
        permanent: bool = False,
        retry_after: float | None = None,
        delivered: bool = False,
    ) -> None:
        super().__init__(problem)
        self.permanent = permanent
        self.retry_after = retry_after
        self.delivered = delivered

    def redacted(self, redact: Callable[[str], str]) -> DeliveryError:
        """Return the same without the secrets that its channel could not know as such."""
        return DeliveryError(
            redact(str(self)),
            permanent=self.permanent,
            retry_after=self.retry_after,
            delivered=self.delivered,
        )

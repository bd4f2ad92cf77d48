"""Hands checks to one worker, some of them ahead, and takes back what it has not claimed."""

from __future__ import annotations

import socket
import struct
from typing import NamedTuple

from pytest_yakei.descriptors import Descriptor
from pytest_yakei.engine import sockets
from pytest_yakei.engine.wire import Undisturbed

NONE = -1
"""Stands for a check where there is none."""

_OFFER = struct.Struct("!ii")


class Offer(NamedTuple):
    """A check that a worker may run, and the one that will probably follow it, by their indexes."""

    check: int = NONE
    hint: int = NONE


class Offers:
    """A worker need not ask for its next check, and yet none waits behind one that hangs.

    Each offer is a packet that either the worker or the parent gets.
    """

    def __init__(self, descriptor: int | None = None) -> None:
        """Make new ones; in the worker, take those that come through the descriptor."""
        self._give: socket.socket | None = None
        if descriptor is None:
            self._give, self._take = sockets.pair(socket.SOCK_SEQPACKET)
        else:
            self._take = sockets.opened(descriptor)
        self._taking = Descriptor(self._take.fileno())

    def fileno(self) -> int:
        """Return the descriptor through which offers come."""
        return self._take.fileno()

    def close(self) -> None:
        """Close this process's ends."""
        for end in (self._give, self._take):
            if end is not None:
                end.close()

    def offer(self, offer: Offer) -> None:
        """Offer a check; `NONE` tells the worker that there is none."""
        if self._give is not None:
            self._give.send(_OFFER.pack(*offer))

    def claim(self, *, wait: bool) -> Offer | None:
        """Return what is offered; None when there is nothing, and we shall not wait.

        Raises:
            DescriptorLostError: the descriptor is closed, or is something else's by now.
        """
        with Undisturbed():
            self._taking.checked()
            try:
                packet = self._take.recv(_OFFER.size, 0 if wait else socket.MSG_DONTWAIT)
            except BlockingIOError:
                return None
            if not packet:
                raise BrokenPipeError("the parent is gone")
            return Offer._make(_OFFER.unpack(packet))

"""Adds to a failed claim what whoever reads of it must know next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def explaining(details: Callable[[], str]) -> Iterator[None]:
    """Add lines to a claim of the block that fails; where it failed is shown as ever.

    Args:
        details: is asked for them when a claim has failed; else nothing is looked up.
    """
    try:
        yield
    except AssertionError as failure:
        text = f"{failure}\n{details()}"
        failure.args = (text,)
        if str(failure) != text:  # one that writes its text itself
            raise AssertionError(text) from failure
        raise

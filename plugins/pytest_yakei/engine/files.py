"""The files that a worker writes and its parent reads when the worker can no longer tell."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass

MOST_TEXT = 1 << 20
"""Characters of captured output that are kept of one phase of a check."""
_MOST_STACKS = 1 << 16


@dataclass(frozen=True)
class Files:
    """Descriptors that parent, keeper and worker share.

    Attributes:
        words: stacks, and what the worker says outside of pytest's capturing.
        draft: messages that the worker has not sent yet.
        out: captured standard output of the phase under way; None unless pytest captures it so.
        err: the same of standard error.
    """

    words: int
    draft: int
    out: int | None = None
    err: int | None = None

    @classmethod
    def create(cls, *, capturing: bool) -> Files:
        """Make the files of a new worker; they have no name and end with their last descriptor.

        Raises:
            OSError: there is no memory, disk or descriptor left.
        """
        made: list[int] = []
        try:
            made.append(os.memfd_create("yakei-words"))
            made.append(os.memfd_create("yakei-draft"))
            for _ in range(2 if capturing else 0):
                made.append(_nameless())  # noqa: PERF401 - those made before one fails are closed
        except OSError:
            for each in made:
                os.close(each)
            raise
        return cls(*made)

    @property
    def descriptors(self) -> list[int]:
        """All of them, in the order of the attributes."""
        every = (self.words, self.draft, self.out, self.err)
        return [each for each in every if each is not None]

    def close(self) -> None:
        """Close this process's descriptors."""
        for each in self.descriptors:
            os.close(each)

    def captured(self) -> dict[str, str]:
        """Return what the phase under way has written to stdout and stderr."""
        streams = {"stdout": self.out, "stderr": self.err}
        texts = {name: _text(fd, MOST_TEXT) for name, fd in streams.items() if fd is not None}
        return {name: text for name, text in texts.items() if text}

    def written(self) -> int:
        """Return how many bytes the phase under way has written, also where nothing captures it."""
        return sum(os.fstat(fd).st_size for fd in self.descriptors)

    def last_words(self) -> str:
        """Return the stacks and whatever else the worker said before it ended."""
        return _text(self.words, _MOST_STACKS)


def shortened(text: str) -> str:
    """Return the text; of a very long one its beginning and its end."""
    if len(text) <= MOST_TEXT:
        return text
    half = MOST_TEXT // 2
    return _without_middle(text[:half], text[-half:], len(text) - 2 * half)


def _nameless() -> int:
    with tempfile.TemporaryFile(buffering=0) as file:
        return os.dup(file.fileno())


def _text(descriptor: int, limit: int) -> str:
    """Return a file's text; of one beyond the limit its beginning and its end."""
    size = os.fstat(descriptor).st_size
    half = limit // 2
    with suppress(OSError):
        if size <= limit:
            return os.pread(descriptor, limit, 0).decode(errors="replace")
        beginning = os.pread(descriptor, half, 0).decode(errors="replace")
        end = os.pread(descriptor, half, size - half).decode(errors="replace")
        return _without_middle(beginning, end, size - 2 * half)
    return ""


def _without_middle(beginning: str, end: str, left_out: int) -> str:
    return f"{beginning}\n[… {left_out} characters left out …]\n{end}"

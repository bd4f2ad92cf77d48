"""What a probe found wrong: sentences that a check asserts the absence of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self


class Findings(tuple[str, ...]):
    """Sentences about what is wrong, worst first; empty, and so false, when all is well.

    The first line of the first finding becomes the subject of the message, so it names the thing,
    the value and the limit. Further lines of a finding are details and what to do.

        late = backup.late_members()
        assert not late, str(late)
    """

    __slots__ = ()

    def __new__(cls, findings: Iterable[str] = ()) -> Self:
        """Keep the findings in the order given."""
        return super().__new__(cls, findings)

    def __str__(self) -> str:
        """Return the sentences, a line each; several are counted first."""
        if len(self) <= 1:
            return "".join(self)
        first = self[0].splitlines()[0]
        return "\n".join([f"{first} (and {len(self) - 1} more)", *self])

    def __repr__(self) -> str:
        """Return their number only: pytest shows this beside the text that `str` has given."""
        return f"<{len(self)} findings>"

"""Counts what the checks of a run did, in one line for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from yakei.results import CheckResult, Outcome
from yakei.words import counted

JUDGED = frozenset(
    {Outcome.PASSED, Outcome.FAILED, Outcome.ERROR, Outcome.TIMEOUT, Outcome.CRASHED}
)
"""The outcomes of a check that had its turn and for which all it needs was there."""
_ORDER = (
    (Outcome.FAILED, "failed"),
    (Outcome.ERROR, "cannot tell"),
    (Outcome.TIMEOUT, "timed out"),
    (Outcome.CRASHED, "crashed"),
    (Outcome.NOT_JUDGED, "not judged"),
    (Outcome.SKIPPED, "skipped"),
    (Outcome.PASSED, "passed"),
)


def tally(results: Iterable[CheckResult], not_due: int = 0) -> str:
    """Return `4 checks: 1 failed, 3 passed`, or `25 checks, all passed`."""
    counts = Counter(result.outcome for result in results)
    total = counts.total()
    waiting = f" ({not_due} not due)" if not_due else ""
    if not total:
        return f"0 checks executed{waiting}"
    if counts[Outcome.PASSED] == total:
        return f"{counted(total, 'check')}, all passed{waiting}"
    parts = ", ".join(f"{counts[each]} {word}" for each, word in _ORDER if counts[each])
    return f"{counted(total, 'check')}: {parts}{waiting}"

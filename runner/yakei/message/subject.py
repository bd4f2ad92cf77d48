"""Writes the subject: in 78 characters who, what, how much and how it compares."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from yakei.incidents.remembered import Notice, Reason
from yakei.message.facts import RunFacts
from yakei.results import Severity
from yakei.words import SUBJECT_LENGTH, cut, one_line

FAILING = frozenset(
    {
        Reason.NEW,
        Reason.REMINDER,
        Reason.WORSE,
        Reason.CHANGED,
        Reason.ESCALATED,
        Reason.RUN_BROKEN,
        Reason.KNOWN_ISSUE_EXPIRED,
    }
)
"""The reasons that tell of something that is failing now."""
_HOST, _LABEL = 20, 28
"""What host and label keep at most when there is not room for everything."""
_LIMIT = re.compile(r"\s*\([^()]*limit[^()]*\)$")
_COMPARISON = re.compile(r"limit: (?:below |at most |at least |between )?")
_NUMBER = re.compile(r"(?<![\w.:-])\d[\d.,]*")
"""A number, as opposed to a part of a name."""
_NEW = {Reason.NEW, Reason.RUN_BROKEN, Reason.KNOWN_ISSUE_EXPIRED}
_COUNTED = {
    Reason.WORSE: "worse",
    Reason.ESCALATED: "escalated",
    Reason.FLAPPING: "flapping",
    Reason.CHANGED: "changed",
    Reason.VANISHED: "vanished",
    Reason.MISSED_RUNS: "gap in the runs",
    Reason.SKIPPED: "skipped",
    Reason.KNOWN_ISSUE_PASSES: "known issue passes",
    Reason.RECOVERED: "recovered",
}


def severity_of(notices: Sequence[Notice]) -> Severity:
    """Return the highest severity of what is told; a recovery wakes nobody."""
    found = (each.incident.severity for each in notices if each.reason is not Reason.RECOVERED)
    return Severity.CRITICAL if Severity.CRITICAL in found else Severity.WARNING


def subject_of(notices: Sequence[Notice], facts: RunFacts) -> str:
    """Return `[CRIT] app01 queue orders: 1396 rows (limit: below 1000)`, at most 78 characters.

    Several things at once are counted, and the first, the worst, is named.

    Args:
        notices: what is told, worst first.
        facts: the host, and what goes on failing besides.
    """
    first = notices[0]
    fact = one_line(first.incident.fact)
    if first.reason is Reason.RECOVERED:
        fact = f"recovered (was: {fact})"
    label, host = one_line(first.incident.label), one_line(facts.host)
    if len(notices) + len(facts.still_failing) == 1:
        return _fitted(_mark(notices), host, "", label, fact)
    return _fitted(_mark(notices), host, f": {_counts(notices, facts)} -", label, fact)


def _mark(notices: Sequence[Notice]) -> str:
    if all(each.reason is Reason.RECOVERED for each in notices):
        return "[OK]"
    return "[CRIT]" if severity_of(notices) is Severity.CRITICAL else "[WARN]"


def _counts(notices: Sequence[Notice], facts: RunFacts) -> str:
    """Return `3 failing, 1 new`."""
    reasons = Counter(each.reason for each in notices)
    failing = sum(reasons[each] for each in FAILING) + len(facts.still_failing)
    new = sum(reasons[each] for each in _NEW)
    parts = [(failing, "failing"), (new, "new")]
    parts += [(reasons[reason], word) for reason, word in _COUNTED.items()]
    return ", ".join(f"{count} {word}" for count, word in parts if count)


def _fitted(mark: str, host: str, counts: str, label: str, fact: str) -> str:
    """Return the subject; where room lacks, host, label and fact give way in this order."""
    whole = f"{mark} {host}{counts} {label}: {fact}"
    if len(whole) <= SUBJECT_LENGTH:
        return whole
    # People know their hosts by the first part of the name.
    host = cut(host.partition(".")[0], _HOST)
    room = SUBJECT_LENGTH - len(f"{mark} {host}{counts} {label}: ")
    if room < len(fact):
        label = _middle(label, max(_LABEL, len(label) - (len(fact) - room)))
    start = f"{mark} {host}{counts} {label}: "
    return cut(start + shortened(fact, SUBJECT_LENGTH - len(start)), SUBJECT_LENGTH)


def shortened(fact: str, room: int) -> str:
    """Return a fact in so many characters that still has its number, and if possible its limit."""
    if len(fact) <= room:
        return fact
    limit = _LIMIT.search(fact)
    if limit:
        brief = f" ({_COMPARISON.sub('limit ', limit[0].strip(' ()'))})"
        fact = fact[: limit.start()]
        if len(brief) < room / 2:
            return f"{shortened(fact, room - len(brief))}{brief}"
    kept, number = cut(fact, room), _NUMBER.search(fact)
    if not number or number[0] in _NUMBER.findall(kept):
        return kept
    tail = cut(fact[number.start() :], room * 2 // 3)
    return f"{cut(fact, room - len(tail))}{tail}"


def _middle(text: str, length: int) -> str:
    """Return the text with its middle left out: names differ at their ends."""
    if len(text) <= length:
        return text
    head = (length - 1) // 2
    return f"{text[:head]}…{text[len(text) - (length - 1 - head) :]}"

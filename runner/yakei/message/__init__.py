"""Makes one message of all that is to be told about a run: what an operator reads at 3 a.m."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from yakei.incidents.remembered import Notice, Reason
from yakei.message.facts import RunFacts
from yakei.results import RunReport, Severity

__all__ = ["Message", "Queued", "RunFacts", "compose"]

_RANK = (
    Reason.RUN_BROKEN,
    Reason.NEW,
    Reason.WORSE,
    Reason.ESCALATED,
    Reason.FLAPPING,
    Reason.CHANGED,
    Reason.KNOWN_ISSUE_EXPIRED,
    Reason.VANISHED,
    Reason.REMINDER,
    Reason.MISSED_RUNS,
    Reason.SKIPPED,
    Reason.KNOWN_ISSUE_PASSES,
    Reason.RECOVERED,
)
"""Which of two equally severe things is named first."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing that a message tells, for channels that lay it out themselves."""

    incident: str
    """The incident's id."""
    key: str
    reason: Reason
    label: str
    fact: str
    severity: Severity
    since: datetime
    runs: int = 1
    owner: str | None = None
    runbook: str | None = None
    claim: str = ""
    checks: tuple[str, ...] = ()
    """The ids of the checks that it keeps from being judged, or that fail because of it."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """What a notifier delivers."""

    subject: str
    """At most 78 characters on one line."""
    body: str
    """At most 60 kB: a screen that tells all, then the output of what failed."""
    severity: Severity
    created: datetime
    run_id: str = ""
    keys: tuple[str, ...] = ()
    """The incidents that the message gives notice of."""
    repeatable: bool = False
    """Whether it tells only of incidents that go on, so that a later message may stand for it."""
    host: str = ""
    items: tuple[Item, ...] = ()
    """What it tells, worst first."""


class Queued(NamedTuple):
    """A message that waits for one channel."""

    id: int
    """Its number in the outbox; 0 in none."""
    message: Message
    created: datetime
    """When it began to wait."""
    attempts: int = 0
    """How often the channel was tried in vain."""


def compose(
    notices: Iterable[Notice], report: RunReport, facts: RunFacts, now: datetime
) -> Message | None:
    """Return one message for all notices, worst first; None when there is nothing to tell.

    Args:
        notices: what is to be told to the receivers of this message.
        report: the run that found it.
        facts: about the run and its host, and what goes on failing besides.
        now: the time of the message, aware.
    """
    ordered = sorted(notices, key=_urgency)
    if not ordered:
        return None
    from yakei.message.body import body_of  # most runs have nothing to tell
    from yakei.message.subject import FAILING, severity_of, subject_of

    return Message(
        subject=subject_of(ordered, facts),
        body=body_of(ordered, report, facts, now),
        severity=severity_of(ordered),
        created=now,
        run_id=facts.run_id,
        # Not what goes on failing besides: of that it says a line at most.
        keys=tuple(dict.fromkeys(each.incident.key for each in ordered)),
        repeatable=all(each.reason in FAILING for each in ordered),
        host=facts.host,
        items=tuple(map(_item, ordered)),
    )


def _item(notice: Notice) -> Item:
    incident, result = notice.incident, notice.result
    return Item(
        incident=incident.id,
        key=incident.key,
        reason=notice.reason,
        label=incident.label,
        fact=incident.fact,
        severity=incident.severity,
        since=incident.since,
        runs=incident.runs,
        owner=result.owner if result else None,
        runbook=result.runbook if result else None,
        claim=result.claim if result else "",
        checks=(*incident.checks, *notice.explains),
    )


def _urgency(notice: Notice) -> tuple[bool, int, datetime]:
    told = notice.reason is not Reason.RECOVERED
    critical = notice.incident.severity is Severity.CRITICAL and told
    return not critical, _RANK.index(notice.reason), notice.incident.since

"""Writes the sentences of a message: since when, what changed, and what people are to know."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from datetime import datetime, timedelta

from yakei.incidents.past import at_fault
from yakei.incidents.remembered import History, Incident, Notice, Reading, Reason
from yakei.message.facts import RunFacts
from yakei.results import CheckResult, Measure, ProblemKind
from yakei.words import clock, counted, cut, how_long, number, one_line, short_clock
from yakei_shared.labels import label_of

LONGEST = 300
"""Characters of a line above the output."""
_MEASURES = 3
"""Measures whose change is shown; the one at fault is first."""
_MARKS = {
    Reason.NEW: "NEW",
    Reason.RUN_BROKEN: "NEW",
    Reason.WORSE: "WORSE",
    Reason.ESCALATED: "RAISED",
    Reason.FLAPPING: "FLAPS",
    Reason.CHANGED: "CHANGED",
    Reason.RECOVERED: "OK",
    Reason.VANISHED: "GONE",
    Reason.SKIPPED: "SKIP",
    Reason.MISSED_RUNS: "NOTE",
    Reason.KNOWN_ISSUE_PASSES: "NOTE",
    Reason.KNOWN_ISSUE_EXPIRED: "NEW",
}

_ADVICE = {
    Reason.FLAPPING: "Nothing more is told until it is stable",
    Reason.KNOWN_ISSUE_PASSES: (
        "Take the marker known_issue off, so that its next failure is heard"
    ),
    Reason.SKIPPED: "Put right what is missing, or name it in [run] allow_skips",
    Reason.MISSED_RUNS: (
        "Nothing was checked then: was the host down, or cron, or were runs killed?"
    ),
}


def row(incident: Incident, reason: Reason, facts: RunFacts, now: datetime) -> str:
    """Return one thing in one line: `NEW` or how long it has been failing, and what it is."""
    mark = _MARKS.get(reason) or how_long(now - incident.since)
    worst = _worst(incident, facts, now)
    fact = f"was: {incident.fact}" if reason is Reason.RECOVERED else incident.fact
    return cut(f"{mark:<7} {one_line(incident.label)}: {one_line(fact)}{worst}", LONGEST)


def headline(notice: Notice, facts: RunFacts, now: datetime) -> str:
    """Return what, how much and since when, in one line."""
    incident = notice.incident
    sentences = [cut(one_line(incident.fact), LONGEST).rstrip("."), *_since(notice, facts, now)]
    if notice.last_failed and notice.reason in {Reason.NEW, Reason.RUN_BROKEN}:
        local = notice.last_failed.astimezone(facts.zone)
        sentences.append(f"Last failed {local:%Y-%m-%d %H:%M}")
    said = " ".join(each if each.endswith("?") else f"{each}." for each in sentences)
    return f"{one_line(incident.label)}: {said}"


def labelled(label: str, text: str) -> str:
    """Return a line whose text begins in the column that all of them share."""
    return cut(f"{label:<9} {one_line(text)}", LONGEST)


def changes(notice: Notice, facts: RunFacts, now: datetime) -> Iterable[str]:
    """Give each measure's value now, in the last run and when the check was last well."""
    if not notice.result:
        return
    fault = at_fault(notice.result.measures)
    ordered = sorted(notice.result.measures, key=lambda each: each is not fault)
    for measure in ordered[:_MEASURES]:
        text = _change(measure, notice, facts, now)
        if text:
            yield labelled("Changed", f"{measure.name}: {text}")


def people_and_steps(result: CheckResult) -> Iterable[str]:
    """Give the claim, who owns it and where it is written what to do."""
    known = (("Claim", result.claim), ("Owner", result.owner), ("Runbook", result.runbook))
    return (labelled(label, text) for label, text in known if text)


def reproduce(notice: Notice, facts: RunFacts) -> Iterable[str]:
    """Give the command that a developer types to see the same."""
    check = notice.result.id if notice.result else next(iter(notice.incident.checks), "")
    if check and notice.reason not in {Reason.VANISHED, Reason.RECOVERED}:
        words = ["pytest", one_line(check)]
        words += ["--yakei-config", facts.config] if facts.config else []
        yield f"Reproduce {shlex.join(words)}"


def acknowledge(notice: Notice, facts: RunFacts) -> Iterable[str]:
    """Give the command that ends the reminders of an incident that goes on."""
    goes_on = notice.incident.first_told and notice.reason is not Reason.RECOVERED
    if goes_on and notice.incident.id:
        words = ["yakei", "ack", notice.incident.id]
        words += ["-c", facts.config] if facts.config else []
        yield f"Known?    {shlex.join(words)} --reason TEXT: no more reminders of it"


def blocked(notice: Notice) -> Iterable[str]:
    """Give the checks that a resource blocks, that vanished, or that fail because of this one."""
    if notice.incident.checks and not notice.result:
        if notice.reason is Reason.VANISHED:
            yield labelled("Vanished", ", ".join(notice.incident.checks))
        else:
            yield labelled("No turn", ", ".join(map(label_of, notice.incident.checks)))
    if notice.explains:
        yield labelled("Explains", ", ".join(map(label_of, notice.explains)))


def _since(notice: Notice, facts: RunFacts, now: datetime) -> Iterable[str]:
    incident = notice.incident
    if notice.explains:
        yield f"{_because_of_it(len(notice.explains))} because of it"
    if notice.reason in _ADVICE:
        yield _ADVICE[notice.reason]
    since = clock(incident.since, now, facts.zone)
    age = how_long(max(now - incident.since, timedelta()))
    lasted = f"{age}, {_runs(notice)}"
    worst = _worst(incident, facts, now)
    match notice.reason:
        case Reason.NEW | Reason.RUN_BROKEN if news := _news(notice, since, now):
            yield news
        case Reason.NEW | Reason.RUN_BROKEN | Reason.REMINDER:
            yield f"{_state(incident)} for {lasted}, since {since}{worst}"
        case Reason.CHANGED:
            yield f"It fails in another way now; failing for {lasted}, since {since}"
        case Reason.ESCALATED:
            yield f"Failing for {lasted}, since {since}{worst}; nobody has acknowledged it"
        case Reason.WORSE:
            yield f"{_worse(notice)}; failing for {lasted}, since {since}"
        case Reason.KNOWN_ISSUE_EXPIRED:
            yield f"{_known_issue(notice.result)}; failing for {lasted}, since {since}"
        case Reason.RECOVERED:
            lasted = how_long(incident.last_failure - incident.since)
            yield f"Well again; it failed for {lasted}, {counted(incident.runs, 'run')}"


def _news(notice: Notice, since: str, now: datetime) -> str:
    """Return what is to be said of what has not been failing run after run before."""
    incident = notice.incident
    if notice.window:
        recent = f"{notice.history.recent}!"[-notice.window :]
        failed = len(recent) - recent.count(".")
        if failed > incident.runs:
            return f"It failed in {failed} of the last {len(recent)} runs, now since {since}"
    this = " (this run)" if incident.last_failure == now else ", when it last ran"
    return f"First seen {since}{this}" if incident.runs == 1 else ""


def _runs(notice: Notice) -> str:
    """Return in how many runs it failed, and of how many: not all need be in a row."""
    failed = notice.incident.runs
    judged, earlier = 1, failed - 1
    for mark in reversed(notice.history.recent):
        if not earlier:
            break
        judged += 1
        earlier -= mark != "."
    if earlier or judged == failed:  # more than the history holds, or all of them
        return counted(failed, "run")
    return f"{failed} of the last {judged} runs"


def _state(incident: Incident) -> str:
    if incident.key.startswith("skip:"):
        return "Skipped"
    return "Gone" if incident.key == f"run:{ProblemKind.VANISHED}" else "Failing"


def _because_of_it(checks: int) -> str:
    return "1 more check fails" if checks == 1 else f"{checks} more checks fail"


def _worse(notice: Notice) -> str:
    if notice.told_value is None:
        return "It was a warning and is critical now"
    value = notice.incident.value
    change = "doubled" if value is None or value > notice.told_value else "halved"
    return f"It has {change} since it was told ({number(notice.told_value)} then)"


def _known_issue(result: CheckResult | None) -> str:
    known = result.known_issue if result else None
    return f"Its known issue {known.reference} ended {known.until}" if known else ""


def _worst(incident: Incident, facts: RunFacts, now: datetime) -> str:
    """Return the worst value, when the last one is better."""
    if incident.worst is None or incident.worst.value == incident.value:
        return ""
    at = short_clock(incident.worst.at, now, facts.zone)
    return f", worst {number(incident.worst.value)} at {at}"


def _change(measure: Measure, notice: Notice, facts: RunFacts, now: datetime) -> str:
    """Return `1396 rows now, was 995 at 03:00, 212 at 02:55 (last good)`."""
    history: History = notice.history
    good = _value(measure, history.good)
    last = _value(measure, history.last)
    parts = []
    if history.last and last is not None:
        same = history.good is not None and history.good.at == history.last.at
        note = " (last good)" if same else ""
        at = short_clock(history.last.at, now, facts.zone)
        parts.append(f"was {_shown(last)} at {at}{note}")
        good = None if same else good
    if history.good and good is not None:
        at = short_clock(history.good.at, now, facts.zone)
        parts.append(f"{_shown(good)} at {at} (last good)")
    return ", ".join([f"{_shown(measure, unit=True)} now", *parts]) if parts else ""


def _value(measure: Measure, reading: Reading | None) -> Measure | None:
    measures = reading.measures if reading else ()
    return next((each for each in measures if each.name == measure.name), None)


def _shown(measure: Measure, *, unit: bool = False) -> str:
    if measure.unit == "s" and measure.value is not None:
        return how_long(timedelta(seconds=measure.value))
    return f"{number(measure.value)} {measure.unit}".strip() if unit else number(measure.value)

"""Tells people: remembers first what they are to hear, then delivers it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from yakei.incidents import Decision
from yakei.incidents.unheard import unheard
from yakei.message import Message, compose
from yakei.message.facts import RunFacts
from yakei.notifiers import Notifier
from yakei.notifiers.reports import DeliveryReport
from yakei.results import Problem, ProblemKind
from yakei.routes import STDOUT
from yakei.setting_out import SetOut
from yakei.store import StateError
from yakei.summary import summary

Addressed = tuple[tuple[str, ...], Message]
"""A message, and the names of the notifiers that shall take it."""


def told(started: SetOut, decision: Decision, now: datetime) -> DeliveryReport:
    """Record a run with the messages that are due, deliver them, and return what became of them.

    Without a usable state the messages are sent all the same; nothing is then tried again later.
    With `--no-notify` the channels are told nothing, the text is for stdout, and the next run tells
    them: whoever looks at a suite by hand must not take a message from those it is for.
    """
    addressed = list(_messages(started, decision, now))
    notifiers = started.settings.notifiers if started.request.notify else ()
    outbox = [(name, message) for names, message in addressed for name in names if notifiers]
    if outbox and started.request.watch:
        started.request.watch([{"event": "telling"}])
    kept_quiet = started.settings.notifiers and not started.request.notify
    remembered = unheard(started.state, decision) if kept_quiet else decision
    if started.store is not None:
        try:
            started.store.record(started.finished(now), remembered, outbox)
            if notifiers:
                from yakei.delivery import deliver

                return deliver(
                    started.store,
                    notifiers,
                    now,
                    configured=started.settings.channels,
                    host=started.host,
                    incidents=decision.state.incidents.values(),
                    redact=started.settings.configuration.redactor.redact,
                )
        except StateError as error:
            started.troubles.append(Problem(kind=ProblemKind.STATE, text=str(error)))
    return _sent_directly(addressed, notifiers, started.settings.configuration.redactor.redact)


def shown(started: SetOut, decision: Decision) -> str:
    """Return what is printed for those who look on, without secrets."""
    if not started.request.print_always:
        return ""
    on_terminal = started.request.watch is not None
    text = summary(decision.report, started.seconds, lines=not on_terminal)
    return started.settings.configuration.redactor.redact(text)


def _messages(started: SetOut, decision: Decision, now: datetime) -> Iterator[Addressed]:
    """Yield one message for all that goes the same way, without secrets."""
    facts = RunFacts(
        host=started.host,
        run_id=started.run_id,
        duration=started.seconds,
        log=started.log_place,
        last_complete=started.state.last_complete,
        zone=started.policy.zone,
        config=str(started.request.config.absolute()) if started.request.config else "",
    )
    redact = started.settings.configuration.redactor.redact
    for names, heard in _ways(started, decision):
        known = replace(facts, still_failing=heard.still_failing)
        message = compose(heard.notices, decision.report, known, now)
        if message:
            yield names, _clean(message, redact)


def _ways(started: SetOut, decision: Decision) -> Iterator[tuple[tuple[str, ...], Decision]]:
    """Yield the decision as each notifier hears of it; those that hear the same are together."""
    names = [notifier.name for notifier in started.settings.notifiers] or [STDOUT]
    heard: dict[tuple[object, ...], list[str]] = {}
    parts = {name: heard_by(name, decision) for name in names}
    for name, part in parts.items():
        told = (*map(id, part.notices), *(each.key for each in part.still_failing))
        heard.setdefault(told, []).append(name)
    for together in heard.values():
        yield tuple(together), parts[together[0]]


def heard_by(name: str, decision: Decision) -> Decision:
    """Return a decision with what one notifier is told, and was told before."""
    return replace(
        decision,
        notices=tuple(each for each in decision.notices if name in each.to),
        still_failing=tuple(
            each for each in decision.still_failing if name in (each.told_to or (name,))
        ),
    )


def _clean(message: Message, redact: Callable[[str], str]) -> Message:
    """Return the message without secrets."""
    items = (
        replace(
            each,
            label=redact(each.label),
            fact=redact(each.fact),
            claim=redact(each.claim),
            owner=each.owner and redact(each.owner),
            runbook=each.runbook and redact(each.runbook),
        )
        for each in message.items
    )
    return replace(
        message, subject=redact(message.subject), body=redact(message.body), items=tuple(items)
    )


def _sent_directly(
    addressed: Sequence[Addressed], notifiers: Sequence[Notifier], redact: Callable[[str], str]
) -> DeliveryReport:
    if not addressed:
        return DeliveryReport()
    from yakei.delivery import direct

    reports = [
        direct([each for each in notifiers if each.name in names], message, redact)
        for names, message in addressed
    ]
    return DeliveryReport(
        taken_by=tuple(name for report in reports for name in report.taken_by),
        failures=tuple(failure for report in reports for failure in report.failures),
        untaken=tuple(message for report in reports for message in report.untaken),
    )

"""Keeps what is told only once over the quiet hours; incidents need no keeping."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from yakei.incidents.addressing import told_at_once
from yakei.incidents.remembered import Held, Notice, Reason
from yakei.incidents.view import View
from yakei.report.tally import JUDGED
from yakei.results import RunReport


def hold_back(
    view: View, report: RunReport, notices: Iterable[Notice]
) -> tuple[tuple[Notice, ...], tuple[Held, ...]]:
    """Return what is told now, of this run or of the night, and what waits for the morning.

    Args:
        view: this run and what was before.
        report: says which of what was held is no longer true.
        notices: of this run.
    """
    aloud, waiting = [], []
    for notice in (*_still_true(view, report), *notices):
        incident = notice.incident
        until = view.policy.quiet_until(incident.severity, view.now)
        if until or view.hush.of(incident.key, incident.label):
            waiting.append(Held(reason=notice.reason, incident=incident))
        else:
            aloud.append(replace(notice, to=told_at_once(incident, view.policy)))
    return tuple(aloud), tuple(waiting)


def _still_true(view: View, report: RunReport) -> Iterable[Notice]:
    judged = {each.id for each in report.results if each.outcome in JUDGED}
    for each in view.state.held:
        if each.reason is not Reason.SKIPPED or each.incident.key not in judged:
            yield Notice(reason=each.reason, incident=each.incident)

"""What it means when a worker ended in the middle of a check, and the reports that say so."""

from __future__ import annotations

import copy
import itertools
import os
import re
import signal
import time
from dataclasses import dataclass
from typing import Any

import pytest

from pytest_yakei.disclosure import redact_report
from pytest_yakei.engine.departure import Ended
from pytest_yakei.engine.exit_codes import BROKEN_WORKER, LOST_WIRE
from pytest_yakei.engine.slot import Slot, Turn
from pytest_yakei.records import CheckRecord
from pytest_yakei.suite import suite_key
from yakei_shared.durations import format_duration
from yakei_shared.labels import label_of
from yakei_shared.signals import signal_name

TIMED_OUT = "timed out"
WROTE_TOO_MUCH = "wrote too much"
BROKE_PYTEST = "broke pytest"
QUIT = "quit the session"

_FRAME = re.compile(r'^  File "(.+)", line (\d+) in ', re.MULTILINE)
_STACKS_BEGIN = re.compile(r"^(Fatal Python error|Current thread|Thread 0x)", re.MULTILINE)
_MACHINERY = re.compile(r'"[^"]*/(_pytest|pluggy|pytest_yakei/engine)/')
_SHOWN_STACK = 40
"""Lines of a stack that a message shows; the cause is on top."""


@dataclass(frozen=True)
class Cause:
    """What is told of a check whose worker ended."""

    outcome: str
    fact: str
    details: str


def could_not_begin(turn: Turn | None, status: int | None) -> bool:
    """Return whether a worker's own code has failed before its check: no thread was left, say."""
    if turn is None or turn.reports or status is None:
        return False
    return os.waitstatus_to_exitcode(status) == BROKEN_WORKER


def cause_of(slot: Slot, turn: Turn, ended: Ended, told: str = "") -> Cause:
    """Return what became of a check: it timed out, crashed, or broke pytest itself."""
    words = slot.files.last_words()
    phase = "" if turn.phase == "call" else f" in {turn.phase}"
    place = _place(words, turn.item)
    details = [_stacks(words) or words.strip()]
    details += [
        f"pid {pid} could not be ended, not even by KILL: {where}" for pid, where in ended.immortal
    ]
    if slot.reason == BROKE_PYTEST:
        lines = told.strip().splitlines() or ["unknown"]
        fact = f"pytest itself failed{phase}: {lines[-1]}"
        return Cause("error", fact, told)
    if slot.reason == QUIT:
        reason = f": {told.strip()}" if told.strip() else ""
        return Cause("crashed", f"wanted to end the whole session{phase}{reason}", "")
    if slot.reason == WROTE_TOO_MUCH:
        fact = f"ended{phase}{place}: it had written {slot.files.written() >> 20} MiB of output"
        return Cause("crashed", fact, _joined(details))
    if slot.reason == TIMED_OUT:
        limit = format_duration(turn.limit.seconds or 0.0)
        where = f" ({ended.place})" if ended.place else ""
        fate = "given up" if ended.immortal else "ended"
        note = f"Python could not interrupt it{where}; its process was {fate}."
        return Cause("timeout", f"timed out after {limit}{phase}{place}", _joined([note, *details]))
    return Cause("crashed", f"{_manner(ended)}{phase}{place}", _joined(details))


def last_reports(slot: Slot, turn: Turn, cause: Cause) -> list[dict[str, Any]]:
    """Return the reports that its worker could not send: of the phase that ran, and the rest."""
    report = _report(turn, turn.phase, "failed", f"{cause.fact}\n{cause.details}".strip())
    captured = slot.files.captured()
    earlier = turn.reports[-1].get("sections", []) if turn.reports else []
    report.sections = [
        *earlier,
        *((f"Captured {key} {turn.phase}", text) for key, text in captured.items()),
    ]
    extra = _extra(slot, turn, cause)
    extra[turn.phase] = captured
    reports = [report]
    if turn.phase != "teardown":
        reports.append(_report(turn, "teardown", "passed", None))
        reports[-1].sections = list(report.sections)
        extra["teardown"] = {}
    config = turn.item.config
    data = []
    for each in reports:
        each._json_report_extra = extra  # type: ignore[attr-defined]  # noqa: SLF001 - as the plugin itself does
        if suite := config.stash.get(suite_key, None):
            redact_report(each, suite.redactor)
        data.append(config.hook.pytest_report_to_serializable(config=config, report=each))
    return data


def _report(turn: Turn, phase: str, outcome: Any, text: str | None) -> pytest.TestReport:
    now = time.time()
    began = turn.reports[-1].get("stop", turn.at) if turn.reports else turn.at
    return pytest.TestReport(
        nodeid=turn.item.nodeid,
        location=turn.item.location,
        keywords=dict.fromkeys(turn.item.keywords, 1),
        outcome=outcome,
        longrepr=text,
        when=phase,  # type: ignore[arg-type]  # one of the three
        duration=now - began if text else 0.0,
        start=began if text else now,
        stop=now,
        user_properties=turn.item.user_properties,
    )


def _extra(slot: Slot, turn: Turn, cause: Cause) -> dict[str, Any]:
    """Return what pytest-json-report puts into its entry: what was told before, and the cause."""
    known = turn.reports[-1].get("_json_report_extra") if turn.reports else None
    extra: dict[str, Any] = copy.deepcopy(known) if known else {}
    suite = turn.item.config.stash.get(suite_key, None)
    metadata = extra.setdefault("metadata", {})
    if "yakei" not in metadata:
        if suite is None or not suite.in_runner:
            return extra
        record = CheckRecord(label=label_of(turn.item.name), started=turn.at, worker=slot.name)
        metadata["yakei"] = record.metadata(turn.item)
    entry = metadata["yakei"]
    if entry["outcome"] in {"passed", "skipped"}:
        entry |= {"outcome": cause.outcome, "fact": cause.fact, "details": cause.details}
        entry |= {"memory": None, "unavailable": None}
    else:  # it had failed before
        entry["notes"] = [*entry["notes"], cause.fact]
    return extra


def _manner(ended: Ended) -> str:
    if ended.status is None:
        return "its process was lost"
    whose = "the keeper of its process" if ended.by_keeper else "its process"
    code = os.waitstatus_to_exitcode(ended.status)
    if code < 0:
        hint = "; often the kernel's out-of-memory killer" if -code == signal.SIGKILL else ""
        return f"{whose} died by {signal_name(-code)}{'' if ended.by_keeper else hint}"
    if code == LOST_WIRE:
        return "it closed the descriptors through which its process reports"
    if code == BROKEN_WORKER:
        return "its process could not go on"
    return f"{whose} exited with {code}"


def _place(words: str, item: pytest.Item) -> str:
    """Return where in its own file a check was, judging by its process's last stacks."""
    for file, line in _FRAME.findall(words):
        if file == str(item.path):
            return f" at line {line}"
    return ""


def _stacks(words: str) -> str:
    """Return the stacks that faulthandler wrote, without pytest's own frames."""
    found = _STACKS_BEGIN.search(words)
    if found is None:
        return ""
    lines: list[str] = []
    for stack in words[found.start() :].strip().split("\n\n"):
        first, *rest = stack.splitlines()
        frames = [line for line in rest if line.startswith("  File ")]
        own = itertools.takewhile(lambda line: not _MACHINERY.search(line), frames)
        shown = list(own) or frames[:1]
        if shown or first.startswith("Fatal"):
            lines += [first, *shown]
    return "\n".join(lines[:_SHOWN_STACK])


def _joined(parts: list[str]) -> str:
    return "\n".join(filter(None, parts))

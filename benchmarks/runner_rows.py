"""The rows about a whole `yakei run`: what it costs beyond the pytest that judges the checks."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path

from stage import HANGING, PYTHON, Row, Spent, compare, spend

ROUNDS = 15
CONFIGURATION = """
[run]
confirm_after = "0s"
interval = "1d"
"""
"""The interval: no run of the benchmark shall tell of one that was missed."""
_MARK_THE_FORK = """
import os, time
def mark():
    with open({file!r}, "x") as file:
        file.write(str(time.process_time()))
os.register_at_fork(before=mark)
"""
"""For `sitecustomize`: the first fork of `yakei run` is pytest's."""
_MOST_MILLISECONDS = 60
PASSING = "def test_passes(): pass\n"
UNDELIVERED, FAILING = 75, 1
"""The exit codes of a run that has something to tell and no channel, and of the next: it is told.
"""


def run(folder: Path, _: str) -> Iterator[Row]:
    """One trivial check by `yakei run`, with state, lock, log and slots, and by pytest alone."""
    checks = _repository(folder)
    report = ("--json-report", f"--json-report-file={folder / 'report.json'}", "--timeout=30")
    alone = (PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", *report, str(checks))
    taken = compare(
        {"yakei": lambda: _yakei_run(folder), "pytest": lambda: spend(alone, folder=folder)},
        ROUNDS,
        "cpu",
    )
    ours, theirs = taken["yakei"], taken["pytest"]
    work = "`yakei run`, 1 trivial check, CPU"
    yield Row(work, f"{ours:.2f} s", f"pytest: {theirs:.2f} s", ours / theirs, 1.35)


def start(folder: Path, _: str) -> Iterator[Row]:
    """From the start of `yakei run` to that of pytest, by the processor.

    A busy machine's clock would say nothing.
    """
    _repository(folder)
    marks = folder / "marks"
    marks.mkdir()
    mark = folder / "mark"
    text = _MARK_THE_FORK.format(file=str(mark))
    (marks / "sitecustomize.py").write_text(text, encoding="utf-8")
    until, nothing = [], []
    for _round in range(ROUNDS):
        mark.unlink(missing_ok=True)
        _yakei_run(folder, marks)
        until.append(float(mark.read_text(encoding="ascii")))
        nothing.append(spend([PYTHON, "-c", "pass"], first=marks).cpu)
    ours, theirs = (statistics.median(each) * 1000 for each in (until, nothing))
    work = "until `yakei run` starts pytest, CPU: ms more / 60"
    shown = (f"{ours:.0f} ms", f"python -c pass: {theirs:.0f} ms")
    yield Row(work, *shown, (ours - theirs) / _MOST_MILLISECONDS, 1.0)


def known(folder: Path, _: str) -> Iterator[Row]:
    """500 checks of 100 ms, of which 5 % hang to their timeout, as they did in the run before."""
    taken = {}
    for name, which, told, again in (("bad", 7, UNDELIVERED, FAILING), ("well", -1, 0, 0)):
        place = folder / name
        place.mkdir()
        _repository(place, HANGING.format(which=which), 'slots = 32\ntimeout = "10s"\n')
        _yakei_run(place, expected=told)
        taken[name] = _yakei_run(place, expected=again).wall
    work = "the same by `yakei run`, when they hung in its last run, too"
    shown = (f"{taken['bad']:.1f} s", f"without: {taken['well']:.1f} s")
    yield Row(work, *shown, (taken["bad"] - taken["well"]) / 10, 1.0)


def _repository(folder: Path, checks: str = PASSING, more: str = "") -> Path:
    (folder / "yakei.toml").write_text(CONFIGURATION + more, encoding="utf-8")
    monitors = folder / "monitors"
    monitors.mkdir()
    (monitors / "test_it.py").write_text(checks, encoding="utf-8")
    return monitors


def _yakei_run(folder: Path, first: Path | None = None, expected: int = 0) -> Spent:
    command = [PYTHON, "-m", "yakei", "run"]
    return spend(command, folder=folder, first=first, expected=expected)


ROWS = {"run": run, "start": start, "known": known}

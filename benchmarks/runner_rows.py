"""The rows about a whole `yakei run`: what it costs beyond the pytest that judges the checks."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path

from stage import PYTHON, Row, Spent, compare, spend

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


def _repository(folder: Path) -> Path:
    (folder / "yakei.toml").write_text(CONFIGURATION, encoding="utf-8")
    monitors = folder / "monitors"
    monitors.mkdir()
    (monitors / "test_it.py").write_text("def test_passes(): pass\n", encoding="utf-8")
    return monitors


def _yakei_run(folder: Path, first: Path | None = None) -> Spent:
    return spend([PYTHON, "-m", "yakei", "run"], folder=folder, first=first)


ROWS = {"run": run, "start": start}

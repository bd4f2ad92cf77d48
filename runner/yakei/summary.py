"""What is printed about a run for those who look at it: with -p, or on a terminal."""

from __future__ import annotations

from yakei.report.tally import tally
from yakei.results import RunReport
from yakei.words import clean, one_line, said
from yakei_shared.durations import format_duration


def summary(report: RunReport, seconds: float, *, lines: bool) -> str:
    """Return the run in a line, after a line for each check where these are asked for."""
    rows = [f"{each.outcome:<10}  {one_line(each.id)}" for each in report.results] if lines else []
    facts = [f"            {one_line(said(each))}" if each.fact else "" for each in report.results]
    both = [text for pair in zip(rows, facts, strict=False) for text in pair if text]
    problems = [clean(f"{each.kind}: {each.text}") for each in report.problems]
    total = f"{tally(report.results, len(report.not_due))} in {format_duration(seconds)}"
    return "\n".join([*both, *problems, total]) + "\n"

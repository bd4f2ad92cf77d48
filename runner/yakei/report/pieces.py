"""Takes a report and a journal apart, and names what is damaged in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from yakei.report.entries import mapping_of, read_entry, text_of
from yakei.results import CheckResult, Problem, ProblemKind
from yakei.words import cut, one_line

_KINDS = {
    "configuration": ProblemKind.CONFIGURATION,
    "collection": ProblemKind.COLLECTION,
    "hidden": ProblemKind.HIDDEN,
    "population": ProblemKind.COLLECTION,
    "survivors": ProblemKind.SURVIVORS,
}
"""The journal's words for what is wrong with a run."""
_QUOTED = 200
"""Characters of a damaged piece that are quoted."""


@dataclass
class Journal:
    """What the lines of one process's journal say, folded."""

    results: dict[str, CheckResult] = field(default_factory=dict)
    collected: list[str] = field(default_factory=list)
    not_due: list[str] = field(default_factory=list)
    started: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    canary: Mapping[str, Any] | None = None
    """The entry of the check that fails on purpose, which is not among the results."""
    partial: bool = False
    ended: bool = False

    def learn(self, event: object) -> None:
        """Fold one line in; a line that cannot be read is a problem."""
        match event:
            case {"event": "collected", "checks": list(checks)}:
                self.collected += filter(None, map(text_of, checks))
                not_due = mapping_of(event).get("not_due")
                self.not_due += map(text_of, not_due if isinstance(not_due, list) else ())
                self.partial = self.partial or mapping_of(event).get("partial") is True
            case {"event": "started", "nodeid": str(check)}:
                self.started.append(text_of(check))
            case {"event": "finished", "test": dict(test)} if result := read_entry(test):
                self.results[result.id] = result
            case {"event": "canary", "test": dict(test)}:
                self.canary = test
            case {"event": "problem"}:
                self.problems.append(_problem(mapping_of(event)))
            case {"event": "end"}:
                self.ended = True
            case {"event": "session" | "collecting"}:
                pass
            case _:
                self.problems.append(damage("a line of the journal cannot be read", event))


def read_journal(events: Iterable[object]) -> Journal:
    """Return what the lines of a journal say."""
    journal = Journal()
    for event in events:
        journal.learn(event)
    return journal


def entries_of(report: object) -> tuple[list[Mapping[str, Any]], list[Problem]]:
    """Return the entries of a report's tests, and what is wrong with it."""
    if report is None:
        return [], []
    tests = mapping_of(report).get("tests", [] if mapping_of(report) else None)
    if not isinstance(tests, list):
        return [], [damage("the report of pytest cannot be read", report)]
    wrong = [each for each in tests if not isinstance(each, Mapping)]
    problems = [damage("an entry of pytest's report cannot be read", each) for each in wrong[:1]]
    return [each for each in tests if isinstance(each, Mapping)], problems


def told_by_collectors(report: object) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
    """Return the ids that a report's collectors found, and the files that do not import."""
    collectors = mapping_of(report).get("collectors")
    nodes = [mapping_of(each) for each in collectors] if isinstance(collectors, list) else []
    leaves = (
        mapping_of(leaf)
        for node in nodes
        for leaf in (node.get("result") if isinstance(node.get("result"), list) else None) or ()
    )
    ids = (text_of(each.get("nodeid")) for each in leaves if _is_check(each))
    failed = [node for node in nodes if node.get("outcome") == "failed"]
    problems = (
        _not_collected(text_of(node.get("nodeid")), text_of(node.get("longrepr")))
        for node in failed
    )
    return tuple(each for each in ids if each), tuple(problems)


def damage(what: str, piece: object) -> Problem:
    """Return the problem that a piece of a report cannot be understood."""
    return Problem(kind=ProblemKind.CRASH, text=f"{what}: {cut(one_line(repr(piece)), _QUOTED)}")


def _is_check(leaf: Mapping[str, Any]) -> bool:
    return "lineno" in leaf and not leaf.get("deselected")


def _problem(event: Mapping[str, Any]) -> Problem:
    text, where = text_of(event.get("text")), text_of(event.get("where"))
    kind = _KINDS.get(text_of(event.get("kind")), ProblemKind.COLLECTION)
    if event.get("kind") == "collection":
        return _not_collected(where, text)
    unplaced = not where or where in text
    words = text or "pytest gave no reason"
    return Problem(kind=kind, text=words if unplaced else f"{where}: {words}")


def _not_collected(where: str, text: str) -> Problem:
    """Return the problem of one file; its first line has the error, which pytest puts last."""
    # pytest marks the lines of an exception's text; the last one is of the exception at fault
    errors = [line[1:].strip() for line in text.splitlines() if line.startswith("E ")]
    reason = errors[-1] if errors else text.strip().partition("\n")[0] or "pytest gave no reason"
    place = where or "the suite"
    first = f"{place} is not checked: {reason}" if place not in reason else reason
    rest = f"\n{text.strip()}" if "\n" in text.strip() else ""
    return Problem(kind=ProblemKind.COLLECTION, text=f"{first}{rest}")

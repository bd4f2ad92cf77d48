"""Tells whether a member could be restored to a recent time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from pytest_yakei.probes.backups.moments import ago, coarse, written
from pytest_yakei.probes.backups.rules import FileRules
from pytest_yakei.probes.backups.series import Backup
from pytest_yakei.probes.backups.states import Judged, State

SHOWN = 3
"""How many bad backups a message names."""


def late(
    member: str,
    newest_first: Iterable[Judged],
    hidden: list[str],
    rules: FileRules,
    now: datetime,
    *,
    replaceable: bool,
) -> Iterator[str]:
    """Yield that a member has no good backup that is young enough, and backups from the future.

    Args:
        member: whose backups they are.
        newest_first: its backups; no more are taken than are needed.
        hidden: what cannot be read is added here.
        rules: the limits.
        now: the time to judge by.
        replaceable: a file is written anew under its name: meanwhile there is no good one.
    """
    passed: list[Judged] = []
    for judged in newest_first:
        if judged.state is State.FUTURE:
            yield f"{judged.backup.name}: {judged.why}"
        elif judged.state is State.UNREADABLE:
            hidden.append(judged.why)
            return
        elif judged.state is State.GOOD:
            yield from _too_old(judged.backup, passed, rules, now)
            return
        else:
            passed.append(judged)
    if not passed:
        yield f"{member}: no backup at all\n  in {rules.path}"
    elif not (replaceable and any(judged.state is State.WRITING for judged in passed)):
        yield f"{member}: no good backup among {len(passed)}{_newer(passed)}"


def _too_old(
    best: Backup, passed: Sequence[Judged], rules: FileRules, now: datetime
) -> Iterator[str]:
    """Yield that the newest good backup is past the limit, and what is wrong with newer ones."""
    if now - best.modified >= rules.max_age:
        limit, when = coarse(rules.max_age), written(best.modified, rules.zone)
        yield (
            f"{best.member}: last backup {ago(best.modified, now)} (limit {limit})\n"
            f"  {best.name}, {when}{_newer(passed)}"
        )


def _newer(passed: Sequence[Judged]) -> str:
    """Return what is wrong with the backups that are newer than the best one."""
    lines = [f"\n  newer: {judged.backup.name}: {judged.why}" for judged in passed[:SHOWN]]
    return "".join(lines)

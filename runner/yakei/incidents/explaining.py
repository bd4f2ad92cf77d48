"""Finds the one cause of many troubles: a check that depends on what is failing too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property

from yakei.incidents.remembered import History, Incident
from yakei.incidents.troubles import RESOURCE, RUN, SKIP, Trouble, is_blocked
from yakei.results import RunReport, Severity


class Dependencies:
    """What checks depend on: what their authors say, and the resources that keep them waiting."""

    def __init__(self, report: RunReport, histories: Mapping[str, History]) -> None:
        self._results = {each.id: each for each in report.results}
        self._histories = histories

    @cached_property
    def _known(self) -> set[str]:
        return {*self._results, *self._histories}

    def above(self, key: str) -> tuple[str, ...]:
        """Return the keys of all that something depends on, the nearest first."""
        found: dict[str, None] = {}
        waiting = list(self._direct(key))
        for name in waiting:  # it grows as it is walked through
            if name not in found:
                found[name] = None
                waiting.extend(self._direct(name))
        return tuple(found)

    def _direct(self, key: str) -> Iterable[str]:
        result = self._results.get(key)
        if result is not None and is_blocked(result) and result.unavailable:
            yield f"{RESOURCE}{result.unavailable.resource}"
        history = self._histories.get(key)
        said = result or (history.profile if history else None)
        for name in said.depends_on if said else ():
            yield name if name in self._known or name.startswith(RESOURCE) else RESOURCE + name


def causes_of(
    troubles: Iterable[Trouble],
    earlier: Mapping[str, Incident],
    dependencies: Dependencies,
    *,
    explains: Callable[[Incident, Trouble | Incident], bool],
) -> dict[str, str]:
    """Return the keys of what another trouble explains, each with that one's key.

    A trouble is a cause when all the failing things that it depends on depend on it in turn: so a
    circle explains whatever hangs on it, and nobody in it. A known issue explains nothing, or
    what it hides would be hidden twice.

    Args:
        troubles: of this run.
        earlier: the incidents that are open and were not judged in this run, by key.
        dependencies: of the checks.
        explains: whether one of these earlier incidents may explain a trouble.
    """
    every: tuple[Trouble | Incident, ...] = (*earlier.values(), *troubles)
    found = {each.key: each for each in every if not each.key.startswith((RUN, SKIP))}
    failing = {key for key, each in found.items() if not each.muted}
    above = {key: tuple(filter(failing.__contains__, dependencies.above(key))) for key in found}
    roots = {key for key, causes in above.items() if all(key in above[each] for each in causes)}

    def may_explain(cause: str, trouble: Trouble | Incident) -> bool:
        return cause in roots and (cause not in earlier or explains(earlier[cause], trouble))

    causes = {}
    for key, trouble in found.items():
        if key not in roots:
            cause = next((each for each in above[key] if may_explain(each, trouble)), None)
            if cause:
                causes[key] = cause
    return causes


def suffices(cause: Incident, trouble: Trouble | Incident) -> bool:
    """Return whether an incident of before, not judged now, is told loudly enough for both."""
    loud = cause.told_severity is Severity.CRITICAL or trouble.severity is Severity.WARNING
    return cause.told_at is not None and loud

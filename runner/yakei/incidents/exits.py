"""Says what a run comes to for its exit code: whether a check fails, whether the run is broken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from yakei.incidents.population import VANISHED, unallowed_skips, was_judged
from yakei.incidents.remembered import Incident
from yakei.incidents.troubles import RUN, Trouble
from yakei.incidents.view import View
from yakei.results import Outcome, ProblemKind, RunReport
from yakei.words import one_line

_HARMLESS = {ProblemKind.SURVIVORS, ProblemKind.SLOW, ProblemKind.ROUTES}
"""What has cost the run nothing."""


class Exits:
    """What was found, without what people have said they know of."""

    def __init__(
        self,
        view: View,
        report: RunReport,
        troubles: Iterable[Trouble],
        incidents: Mapping[str, Incident],
    ) -> None:
        self._view = view
        self._report = report
        self._troubles = tuple(troubles)
        self._incidents = incidents

    @property
    def failing(self) -> bool:
        """Whether a check that was due did not pass, and nobody has said that this is known."""
        checks = (each for each in self._troubles if not each.key.startswith(RUN))
        return any(not self._is_known(each) for each in checks) or self._has_new_skip()

    @property
    def broken(self) -> bool:
        """Whether the run is broken; ended survivors have cost it nothing."""
        crashed = (each for each in self._troubles if each.outcome is Outcome.CRASHED)
        return (
            any(not self._is_known(each) for each in crashed)
            or any(each.kind not in _HARMLESS for each in self._report.problems)
            or (VANISHED in self._incidents and not self._report.partial)
        )

    def _is_known(self, trouble: Trouble) -> bool:
        return trouble.muted or self._is_excused(trouble.key)

    def _is_excused(self, key: str) -> bool:
        """Return whether it is silenced or acknowledged, or what explains it is."""
        incident = self._incidents.get(key)
        if self._view.hushed.get(key) or (incident and incident.acknowledged):
            return True
        cause = self._view.causes.get(key)
        return cause is not None and self._is_excused(cause)

    def _has_new_skip(self) -> bool:
        """Return whether a check was skipped that was never judged: it has no incident."""
        hush, state = self._view.hush, self._view.state
        return any(
            not was_judged(state, each.id) and not hush.of(each.id, one_line(each.label))
            for each in unallowed_skips(self._report, self._view.policy)
        )

"""Says why nobody is told of something for a while: silences, and maintenance windows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from yakei.incidents.policy import Policy
from yakei.incidents.remembered import State
from yakei.incidents.troubles import RESOURCE, RUN, SKIP
from yakei.incidents.windows import open_until
from yakei.patterns import matches
from yakei.words import clock, one_line


class Hush(NamedTuple):
    """What keeps incidents quiet now; they are followed and recorded all the same."""

    state: State
    policy: Policy
    now: datetime

    def of(self, key: str, label: str, checks: Iterable[str] = ()) -> str:
        """Return why an incident is quiet: `silenced until 05:00 +0900: moving srv01`; or nothing.

        Args:
            key: the incident's.
            label: the thing, for people.
            checks: the ids of the checks that a resource blocks: when all of them are quiet, so is
                what they need.
        """
        if key.startswith(RUN):
            # `*` means all that is watched; it must not hush up that nothing is being watched.
            return self._reason((key,), only=RUN)
        if key.startswith(RESOURCE):
            own = self._reason((key, key.removeprefix(RESOURCE)))
            return own or self._of_all(checks)
        return self._reason((key, key.removeprefix(SKIP), label))

    def _of_all(self, checks: Iterable[str]) -> str:
        reasons = [self._reason((check, self._label(check))) for check in checks]
        return reasons[0] if reasons and all(reasons) else ""

    def _label(self, check: str) -> str:
        history = self.state.histories.get(check)
        return one_line(history.profile.label) if history and history.profile else check

    def _reason(self, names: tuple[str, ...], *, only: str = "") -> str:
        for silence in self.state.silences:
            fits = silence.pattern.startswith(only) and matches(silence.pattern, names)
            if fits and self.now < silence.until:
                return self._worded("silenced", silence.until, silence.reason)
        for each in self.policy.maintenance:
            if each.pattern.startswith(only) and matches(each.pattern, names):
                end = open_until(each.windows, self.now, each.zone or self.policy.zone)
                if end:
                    return self._worded("maintenance", end, each.reason)
        return ""

    def _worded(self, kind: str, until: datetime, reason: str) -> str:
        return f"{kind} until {clock(until, self.now, self.policy.zone)}: {one_line(reason)}"

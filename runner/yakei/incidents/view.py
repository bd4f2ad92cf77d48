"""What the decision about each trouble looks at, besides the trouble itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from yakei.incidents.hushing import Hush
from yakei.incidents.policy import Policy
from yakei.incidents.remembered import Flapping, History, State
from yakei.incidents.troubles import Trouble


@dataclass(frozen=True, kw_only=True)
class View:
    """What is known when a run is decided about."""

    state: State
    """As it was before the run."""
    policy: Policy
    now: datetime
    histories: Mapping[str, History] = field(default_factory=dict)
    """With this run."""
    flapping: Mapping[str, Flapping] = field(default_factory=dict)
    """With this run."""
    causes: Mapping[str, str] = field(default_factory=dict)
    """The keys of what another trouble explains, each with that one's key."""
    earlier_causes: Mapping[str, str] = field(default_factory=dict)
    """The same of what is still open from earlier and was not judged now."""
    hushed: Mapping[str, str] = field(default_factory=dict)
    """Why nobody is told for a while, by key."""

    @property
    def hush(self) -> Hush:
        """What keeps incidents quiet now, known ones and others."""
        return Hush(self.state, self.policy, self.now)

    def explained_by(self, key: str) -> tuple[str, ...]:
        """Return the keys of the troubles that are there because of this one."""
        return tuple(self._dependents.get(key, ()))

    @cached_property
    def _dependents(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for key, cause in self.causes.items():
            found.setdefault(cause, []).append(key)
        return found

    def has_lasted(self, trouble: Trouble, runs: int) -> bool:
        """Return whether a trouble has reached its threshold with so many failing runs."""
        if runs >= trouble.threshold:
            return True
        if trouble.window is None:
            return False
        recent = self.histories.get(trouble.key, History()).recent[-trouble.window :]
        return len(recent) - recent.count(".") >= trouble.threshold

"""How long one check may take, as pytest-timeout would say."""

from __future__ import annotations

from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class TimeLimit:
    """Seconds for one check, and whether its fixtures count too; None is no limit."""

    seconds: float | None
    only_call: bool = False


def limit_of(item: pytest.Item) -> TimeLimit:
    """Return a check's limit: its marker's, else the session's.

    In the runner fixtures count in any case: nothing may go on for ever.
    """
    config = item.config
    if not config.pluginmanager.hasplugin("timeout"):
        return TimeLimit(None)
    mark = item.get_closest_marker("timeout")
    given = dict(zip(("timeout", "method", "func_only"), mark.args, strict=False)) if mark else {}
    given |= mark.kwargs if mark else {}
    seconds, only_call = given.get("timeout"), given.get("func_only")
    if seconds is None:
        seconds = getattr(config, "_env_timeout", None)
    if only_call is None:
        only_call = getattr(config, "_env_timeout_func_only", False)
    limit = float(seconds or 0)
    is_lenient = bool(only_call) and not config.getoption("--yakei-run", default=False)
    return TimeLimit(limit if limit > 0 else None, is_lenient)

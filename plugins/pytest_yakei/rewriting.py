"""Keeps pytest from rewriting the assertions of our own modules: they have none that tell anything.

pytest rewrites every module of an installed plugin, and keeps the result beside its source. Where
the installation belongs to another user than the one who runs the checks, as root's does under
cron, it cannot, and would do it again in each run: that costs more than all the rest of a run.
"""

from __future__ import annotations

import pytest

_OURS = frozenset({"pytest_yakei", "pytest_yakei.plugin", "yakei", "yakei_shared"})
"""The canary is not among them: by its assertion a run proves that failures are seen."""


def rewrite_none_of_ours(pluginmanager: pytest.PytestPluginManager) -> None:
    """Take our packages off pytest's list; what is imported from now on is loaded as it is."""
    hook = pluginmanager.rewrite_hook
    marked = getattr(hook, "_must_rewrite", None)  # pytest offers no way to say it beforehand
    if isinstance(marked, set):
        marked -= _OURS
        getattr(hook, "_marked_for_rewrite_cache", {}).clear()

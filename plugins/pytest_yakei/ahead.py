"""Imports what every run of the runner needs of pytest and of the plugin, before pytest begins.

The runner's copy imports this module while the runner itself reads its configuration and state.
Of our own modules those are left out that only some runs need, and the canary: pytest must have
rewritten its assertion.
"""

from __future__ import annotations

from importlib import import_module

from _pytest.config import default_plugins

_OURS = ("plugin", "engine.plugin", "engine.loop", "engine.worker", "journal", "schedule")

for _name in default_plugins:
    import_module(f"_pytest.{_name}")
for _name in _OURS:
    import_module(f"pytest_yakei.{_name}")

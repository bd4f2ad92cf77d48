"""What a worker does last: its process ends without Python's own ending, which would do it."""

from __future__ import annotations

import sys
from contextlib import suppress

import pytest

from pytest_yakei.suite import suite_key


def close_all(config: pytest.Config) -> None:
    """Write what is not written yet, end connections, and remove folders of this process's own."""
    if plugin := config.pluginmanager.get_plugin("logging-plugin"):
        with suppress(OSError, ValueError):  # a check has closed it
            plugin.log_file_handler.flush()  # a timeout may have come before its own
    suite = config.stash.get(suite_key, None)
    if suite is not None:
        suite.close()
    with suppress(AttributeError):
        # A temporary folder that only this worker has made.
        config._tmp_path_factory._exit_stack.close()  # type: ignore[attr-defined]  # noqa: SLF001 - as pytest at a session's end
    save_coverage()


def save_coverage() -> None:
    """Write what coverage.py has measured here, if it does; the parent's pytest-cov reads it."""
    module = sys.modules.get("coverage")
    current = module.Coverage.current() if module else None
    if current is not None:
        with suppress(Exception):  # a check has closed what it needs: only lines are lost
            current.stop()
            current.save()

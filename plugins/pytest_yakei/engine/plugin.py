"""`--yakei-slots N`: declared here, and registered only when it is asked for.

PYTEST_DONT_REWRITE: see `rewriting`.
"""

from __future__ import annotations

import gc
from collections.abc import Generator

import pytest

from pytest_yakei.engine import sockets  # noqa: F401 - see there


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option."""
    group = parser.getgroup("yakei", "monitoring checks")
    group.addoption(
        "--yakei-slots",
        type=int,
        default=0,
        metavar="N",
        help="run N checks at once, each in a process that it cannot harm the others from",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Take over pytest's loop, if that was asked for."""
    count = config.getoption("--yakei-slots")
    if count < 0:
        raise pytest.UsageError(f"--yakei-slots={count}: expected a number of checks, or 0")
    if count:
        # Called after what pytest adds later: it then looks for garbage five times, and nothing
        # that was there before the first check can be any.
        config.add_cleanup(gc.unfreeze)
        config.pluginmanager.register(Slots(count), "yakei-slots")


class Slots:
    """Runs the checks in slots instead of pytest's own loop."""

    def __init__(self, count: int) -> None:
        self._count = count

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection(self) -> Generator[None, object, object]:
        """Collect no garbage meanwhile: what is made here stays, and is looked at in vain."""
        was_enabled = gc.isenabled()
        gc.disable()
        try:
            return (yield)
        finally:
            if was_enabled:
                gc.enable()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Run the session's checks; None leaves them to pytest's own loop."""
        from pytest_yakei.engine.own_loop import keeps_own_loop

        option = session.config.option
        if option.collectonly or not session.items or keeps_own_loop(session):
            return None
        if session.testsfailed and not option.continue_on_collection_errors:
            return None  # pytest says how many files do not import
        from pytest_yakei.engine.loop import Loop

        Loop(session, self._count).run()
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)
        return True

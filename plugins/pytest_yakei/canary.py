"""The canary: an item that fails in each run of the runner, to prove that failures are seen.

Silence means that all is well only as long as a check that fails is reported as failed. Hooks of a
conftest.py, plugins and options can change that for all checks at once, and nobody would know.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from yakei_shared.canary import CANARY, SONG

_canary_key = pytest.StashKey["Canary"]()


class Canary(pytest.Item):
    """Fails by an assertion, through everything that a check goes through.

    It is no test function: it asks for no fixture, and fixtures that are used automatically leave
    it alone. What conftest.py files ask of any item, they find empty.
    """

    cls = None

    def __init__(self, **given: Any) -> None:
        """Look like a test function without fixtures to whoever does not ask what it is."""
        super().__init__(**given)
        self.function = self.obj = self.runtest
        self.originalname = self.name
        self.fixturenames: list[str] = []
        self.funcargs: dict[str, object] = {}

    @property
    def ihook(self) -> Any:
        """The hooks of every conftest.py, not only of those above a path."""
        return self.config.hook

    @property
    def module(self) -> Any:
        """The module of the check's code."""
        import sys

        return sys.modules[__name__]

    def runtest(self) -> None:
        """A check that fails is seen to fail."""
        breathes = False

        assert breathes, SONG

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *_: Any) -> str:
        """Return the failure without a traceback: to picture pytest's own takes 100 ms."""
        return excinfo.exconly()

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the canary is, and what it is called."""
        return Path(__file__), 0, "canary"


def join(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Put the canary among the collected checks, where everybody's hooks meet it."""
    items.insert(0, Canary.from_parent(session, name="canary", nodeid=CANARY))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take the canary aside, when conftest.py files have had their say and -k and -m have not.

    It is there in a run of a part, too; one that a conftest.py has taken off the list is gone.
    """
    for item in items:
        if isinstance(item, Canary):
            config.stash[_canary_key] = item
    items[:] = [item for item in items if not isinstance(item, Canary)]


def canary_of(config: pytest.Config) -> list[pytest.Item]:
    """Return the canary, if nobody has taken it off the list."""
    return [config.stash[_canary_key]] if _canary_key in config.stash else []


class Cage:
    """Keeps the canary's failure from frightening people, and from failing the session."""

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Keep the session that counts the failures."""
        self._session = session

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Have the terminal count a canary that fails as what it is."""
        sings = report.nodeid == CANARY and report.when == "call" and report.failed
        return ("canary", "c", "CANARY") if sings else None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Generator[None, Any, Any]:
        """Leave the session's exit code to the checks."""
        before = self._session.testsfailed
        try:
            return (yield)
        finally:
            if report.nodeid == CANARY:
                self._session.testsfailed = before

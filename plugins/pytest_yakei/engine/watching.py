"""The hooks that a worker answers instead of everybody else: results go to the parent."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_yakei.engine.brief import brief, may_be_brief
from pytest_yakei.engine.changes import Surroundings
from pytest_yakei.engine.files import shortened

if TYPE_CHECKING:
    from pytest_yakei.engine.worker import Worker

PICTURED = "_yakei_pictured"
"""Marks a report whose failure, as a doctest's, is text but was an object that prints itself."""


class Watch:
    """Registered in a worker, after the reporting hooks of all others were taken off."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._config = worker.session.config
        self._is_brief = may_be_brief(self._config)
        self.before: Surroundings
        """What there was when the turn began, and what fixtures that others share have started."""
        self.at_call: Surroundings | None = None
        self._forks_beside_threads = False
        os.register_at_fork(before=self._look_at_threads)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self) -> Generator[None, object, object]:
        """Begin a turn: nothing is known yet of what the check changes."""
        self.at_call = None
        self._forks_beside_threads = False
        return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self) -> None:
        """Note what there is before the check's own code runs."""
        self.at_call = Surroundings.now()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[object]
    ) -> Generator[None, object, object]:
        """Leave alone what a fixture of a wider scope has started: others will use it."""
        __tracebackhide__ = True
        if fixturedef.scope == "function":
            return (yield)
        before = Surroundings.now()
        result = yield
        now = Surroundings.now()
        self.before = self.before.joined_by(before, now)
        if self.at_call is not None:  # asked for by the check's own code
            self.at_call = self.at_call.joined_by(before, now)
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Shorten monstrous output before it goes into the reports."""
        sections = item._report_sections  # noqa: SLF001 - pytest gives no other way to it
        sections[:] = [(when, key, shortened(text)) for when, key, text in sections]
        return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note it for the parent; the last phase's result waits for what is found after it."""
        turn = self._worker.turn
        data = None
        if turn is not None and self._is_brief:
            data = brief(report, turn.item, turn.keywords)
        if data is None:
            data = self._whole(report)
        if turn is not None and turn.last is not None:  # a plugin runs the check more than once
            self._worker.note("report", turn.last)
            turn.last = None
        if report.when == "teardown" and turn is not None:
            turn.last = data
        else:
            self._worker.note("report", data)

    def _whole(self, report: pytest.TestReport) -> dict[str, Any]:
        hook = self._config.hook
        data: dict[str, Any] = hook.pytest_report_to_serializable(
            config=self._config, report=report
        )
        longrepr = report.longrepr
        if hasattr(longrepr, "toterminal") and not hasattr(longrepr, "reprcrash"):
            data[PICTURED] = True
        return data

    def pytest_warning_recorded(
        self, warning_message: warnings.WarningMessage, when: str, nodeid: str, location: Any
    ) -> None:
        """Tell the parent of a warning, as plain values; those of the collection it knows."""
        text, category = str(warning_message.message), warning_message.category
        if self._worker.turn is None or self._is_about_our_thread(text):
            return
        told = {
            "text": text,
            "module": category.__module__,
            "category": category.__qualname__,
            "filename": warning_message.filename,
            "lineno": warning_message.lineno,
        }
        self._worker.note("warning", told, when, nodeid, location)

    def _look_at_threads(self) -> None:
        self._forks_beside_threads |= threading.active_count() > 1

    def _is_about_our_thread(self, text: str) -> bool:
        """Return whether Python warns of a fork beside a thread, and there was only `renewal`'s.

        From 3.12 on each check that forks would be told of a thread that is none of its own.
        """
        return "multi-threaded, use of fork()" in text and not self._forks_beside_threads

    @pytest.hookimpl(optionalhook=True)
    def pytest_timeout_set_timer(self, item: pytest.Item, settings: Any) -> object:
        """Use signals whatever is asked for: the other method ends the process without a word."""
        import pytest_timeout  # type: ignore[import-untyped]  # ships no types

        return pytest_timeout.pytest_timeout_set_timer(item, settings._replace(method="signal"))

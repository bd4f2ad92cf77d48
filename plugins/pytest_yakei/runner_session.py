"""What is different when `yakei run` called: a journal, a schedule, a checked configuration."""

from __future__ import annotations

import faulthandler
import gc
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import partial
from importlib.util import decode_source
from pathlib import Path
from typing import TextIO

import pytest
from _pytest.python import hasinit, hasnew

from pytest_yakei.canary import Cage, canary_of
from pytest_yakei.dependencies import mistake_key
from pytest_yakei.engine.order import longest_first
from pytest_yakei.fixtures import record_of
from pytest_yakei.journal import Journal, already_begun
from pytest_yakei.markers import mistake_of
from pytest_yakei.priority import is_low
from pytest_yakei.records import ready_key
from pytest_yakei.schedule import split_due
from pytest_yakei.shadowed import shadowed
from pytest_yakei.suite import Suite
from yakei_shared.errors import ConfigurationError
from yakei_shared.history import read_durations, read_judged

stacks_key = pytest.StashKey[TextIO]()


def answer_for_stacks(config: pytest.Config, path: Path) -> None:
    """Let the runner ask where this process is stuck, also in C code, and say where it crashes.

    As long as no check runs: pytest's own plugin takes the crashes over.
    """
    config.stash[stacks_key] = stacks = path.open("w", encoding="utf-8")
    faulthandler.enable(file=stacks)
    faulthandler.register(signal.SIGUSR1, file=stacks, all_threads=True)


class RunnerSession:
    """The hooks of a session that the runner started; plain `pytest` has none of them."""

    def __init__(self, config: pytest.Config, suite: Suite) -> None:
        path: Path = config.getoption("--yakei-journal")
        self._suite = suite
        self._journal = Journal(path, suite.redactor, config)
        self._begun: set[str] = set()
        if config.getoption("--yakei-resume"):
            self._begun, self._journal.fatal = already_begun(path)
        self._journal.allows_skip = self._allows_skip
        config.pluginmanager.register(self._journal, "yakei-journal")
        config.pluginmanager.register(Cage(), "yakei-cage")

    def _allows_skip(self, file: str) -> bool:
        patterns = self._suite.configuration.run.allow_skips
        return any(fnmatchcase(file, pattern.replace("[", "[[]")) for pattern in patterns)

    def pytest_collection(self, session: pytest.Session) -> None:
        """Stop on a mistake in the configuration before anything is judged by it."""
        session.config.option.maxfail = 0  # a conftest's, too: everything is judged
        try:
            self._suite.check_configuration()
        except ConfigurationError as error:
            self._journal.write("problem", kind="configuration", where="", text=str(error))
            raise pytest.UsageError(str(error)) from None

    def pytest_make_parametrize_id(self, val: object) -> str | None:
        """Name a check after a value without its secret: the id is told, kept and passed on."""
        clean = self._suite.redactor.redact(val) if isinstance(val, str) else val
        return None if clean == val else str(clean)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Leave out what was not chosen, is marked wrongly, is not due, or was begun before.

        Where anything is left to run, the canary goes before it.
        """
        if chosen := config.getoption("--yakei-only"):
            _leave_only(json.loads(chosen.read_text(encoding="utf-8")), config, items)
        items[:] = [item for item in items if not self._refuses(item)]
        self._tell_of_twins(items)
        run = self._suite.configuration.run
        # What was never judged is due: so is all of it when all of it is asked for.
        asks = not config.getoption("--yakei-all") and any(map(_is_scheduled, items))
        judged = read_judged(run.state) if asks else {}
        if asks and self._suite.elsewhere:
            judged |= read_judged(self._suite.elsewhere)
        due, not_due = split_due(items, judged, datetime.now(UTC), run.interval)
        # What runs only now and then is heavy: what is judged each time does not wait for it.
        # After what lowers its priority nothing may follow that needs a better one.
        due.sort(key=lambda item: (is_low(item), _is_scheduled(item)))
        if slots := config.getoption("--yakei-slots"):
            due = longest_first(due, read_durations(run.state), slots)
        self._journal.collected(due, not_due)
        rest = [item for item in due if item.nodeid not in self._begun]
        if len(rest) < len(items):
            kept = set(rest)
            config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = [*canary_of(config), *rest] if rest else []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note when the waiting begins: the checks are known, and the first may have its turn.

        Garbage is collected from now on: the runner starts us without, for nothing is any yet.
        """
        gc.enable()
        session.config.stash[ready_key] = time.time()

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Take from the terminal what it would look through for each failure, and not print.

        Of thousands that fail at once, its summary would else take longer than the checks.
        """
        terminal = session.config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None and "" in terminal.stats:
            terminal.stats[""] = list(filter(_printed_at_teardown, terminal.stats[""]))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        """Begin a check's record when its turn begins, and not when a fixture first asks for it."""
        record_of(item)

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makeitem(
        self, collector: pytest.Module | pytest.Class, name: str, obj: object
    ) -> None:
        """Tell of a class whose checks pytest leaves out, with a warning that nobody would see."""
        if not isinstance(obj, type) or not _is_ones_own(collector, obj):
            return
        is_made = hasinit(obj) or hasnew(obj)
        has_checks = any(map(collector.funcnamefilter, vars(obj)))
        if is_made and has_checks and collector.istestclass(obj, name):
            where = f"{collector.nodeid}::{name}"
            text = f"{where} is not checked: pytest collects no class that has a constructor"
            self._journal.write("problem", kind="hidden", where=where, text=text)

    def pytest_collectstart(self, collector: pytest.Collector) -> None:
        """Tell of a check that another of its name hides: pytest never sees it."""
        if not isinstance(collector, pytest.Module):
            return
        # What cannot be read, or parsed, is told when it is imported.
        with suppress(OSError, ValueError, SyntaxError, RecursionError, MemoryError):
            source = decode_source(collector.path.read_bytes())
            for name, line, by in shadowed(source, partial(_is_check, collector)):
                where = f"{collector.nodeid}::{name}"
                text = f"{where} of line {line} is not checked: line {by} has another; rename one"
                self._journal.write("problem", kind="hidden", where=where, text=text)

    def _tell_of_twins(self, items: list[pytest.Item]) -> None:
        """Tell of checks with one id: the result of the last would stand for all of them."""
        for nodeid, times in Counter(item.nodeid for item in items).items():
            if times > 1:
                text = f"{times} checks have the id {nodeid}: only one can be heard; rename them"
                self._journal.write("problem", kind="hidden", where=nodeid, text=text)

    def _refuses(self, item: pytest.Item) -> bool:
        """Tell of a mistake in a check's markers: the suite's other checks go on without it."""
        mistake = mistake_of(item) or item.stash.get(mistake_key, "")
        if mistake:
            self._journal.write("problem", kind="collection", where=item.nodeid, text=mistake)
        return bool(mistake)


def _is_check(module: pytest.Module, name: str) -> bool:
    return module.funcnamefilter(name) or module.classnamefilter(name)


def _is_ones_own(collector: pytest.Module | pytest.Class, found: type) -> bool:
    """Return whether a class is of this file, is to be tested, and is not unittest's business."""
    place = collector.obj
    unittest = sys.modules.get("unittest")  # with a class of it: 20 ms for those who have none
    is_case = unittest is not None and issubclass(found, unittest.TestCase)
    is_here = found.__module__ == getattr(place, "__module__", place.__name__)
    return is_here and not is_case and getattr(found, "__test__", True) is True


def _leave_only(ids: Collection[str], config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take off the list what is not among these; that one of them is gone stops no other."""
    wanted = set(ids)
    config.hook.pytest_deselected(items=[each for each in items if each.nodeid not in wanted])
    items[:] = [each for each in items if each.nodeid in wanted]


def _is_scheduled(item: pytest.Item) -> bool:
    return item.get_closest_marker("every") is not None


def _printed_at_teardown(report: pytest.TestReport) -> bool:
    return any("teardown" in name for name, _ in report.sections)

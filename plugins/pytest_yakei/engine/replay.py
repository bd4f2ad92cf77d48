"""Tells pytest's ordinary hooks, in the parent, what a worker has reported."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterable
from typing import Any, Literal

import pytest
from _pytest._code.code import TerminalRepr
from _pytest.subtests import SubtestReport, failed_subtests_key

from pytest_yakei.disclosure import redact_report, warning_of
from pytest_yakei.engine.brief import in_full, is_brief
from pytest_yakei.engine.watching import PICTURED
from pytest_yakei.suite import suite_key
from yakei_shared.redaction import Redactor


class Pictured(TerminalRepr):
    """What a failure printed of itself in the worker."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text

    def toterminal(self, tw: Any) -> None:
        """Print it again."""
        tw.line(self._text)


def identity_of(item: pytest.Item) -> Any:
    """Return what pytest counts a check's subtests by: before 9.2 the node id's text."""
    return getattr(item, "id", item.nodeid)


class Replay:
    """Calls the reporting hooks as pytest's own loop would."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._redactor: Redactor | None = None
        """That of the suite, once a worker has met a secret: what others sent may have it."""
        manager = config.pluginmanager
        self._terminal = manager.get_plugin("terminalreporter")
        # The terminal says which check's result follows; so it hears of a check when it is done,
        # and so does what prints its log.
        late = (self._terminal, manager.get_plugin("logging-plugin"))
        muted = [each for each in late if each]
        self._log_start = manager.subset_hook_caller("pytest_runtest_logstart", muted)

    def prepare_workers(self) -> None:
        """Prepare what workers have for us: called in the nursery, and in no other process."""

    def learn(self, secret: str) -> None:
        """Keep a secret to ourselves that a worker has met, also where another one tells it."""
        if suite := self._config.stash.get(suite_key, None):
            self._redactor = suite.redactor
            self._redactor.learn(secret)

    def look(self) -> None:
        """Tell what shall not wait for its check's result: called now and then."""

    def end(self) -> None:
        """Tell the rest, when no worker lives any more."""

    def started(self, item: pytest.Item, worker: str) -> None:
        """Tell that a check begins, and in which worker."""
        if journal := self._config.pluginmanager.get_plugin("yakei-journal"):
            journal.worker = worker
        self._log_start(nodeid=item.nodeid, location=item.location)

    def finished(
        self, item: pytest.Item, reports: Iterable[dict[str, Any]], failed_subtests: int = 0
    ) -> None:
        """Tell what a check did, phase by phase."""
        if failed_subtests:  # pytest counts them where they run, and fails the check by the count
            self._config.stash[failed_subtests_key][identity_of(item)] = failed_subtests
        if self._terminal:
            self._terminal.pytest_runtest_logstart(item.nodeid, item.location)
        hook = item.ihook
        keywords: dict[str, Literal[1]] = dict.fromkeys(item.keywords, 1)
        for data in reports:
            if is_brief(data):
                report = in_full(data, item, identity_of(item), keywords)
            else:
                report = self._report(data)
                if report.nodeid == item.nodeid and hasattr(item, "id"):
                    # pytest reads it out of the text, where `[` and `::` may be of a name.
                    report._id = item.id  # noqa: SLF001 - it has no setter
            if self._redactor is not None:
                redact_report(report, self._redactor)
            hook.pytest_runtest_logreport(report=report)
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)

    def _report(self, data: dict[str, Any]) -> pytest.TestReport:
        is_pictured = data.pop(PICTURED, False)
        context = dict(data.get("_subtest.context", {}))
        hook = self._config.hook.pytest_report_from_serializable
        report: pytest.TestReport = hook(config=self._config, data=data)
        if is_pictured:
            report.longrepr = Pictured(str(report.longrepr))
        if isinstance(report, SubtestReport):  # pytest takes the text of its arguments' texts
            object.__setattr__(report.context, "kwargs", context["kwargs"])
        return report

    def warn(self, told: dict[str, Any], when: str, nodeid: str, location: Any) -> None:
        """Tell of a warning that was given in a worker."""
        category = _category(told["module"], told["category"])
        message = warnings.WarningMessage(
            message=warning_of(category, told["text"]),
            category=category,
            filename=told["filename"],
            lineno=told["lineno"],
        )
        facts = {"warning_message": message, "when": when, "nodeid": nodeid, "location": location}
        self._config.hook.pytest_warning_recorded.call_historic(kwargs=facts)

    def leftovers(self, nodeid: str, processes: list[tuple[int, str]], threads: list[str]) -> None:
        """Tell of what a check, or a fixture, had left running, and what has been ended."""
        found = [f"pid {pid}: {command}" for pid, command in processes]
        found += [f"thread {name}" for name in threads]
        if not found:
            return
        whose = nodeid or "a fixture of the session"
        self.remark(f"{whose} left running, now ended: {'; '.join(found)}", nodeid)
        journal = self._config.pluginmanager.get_plugin("yakei-journal")
        if journal is not None:
            text = "\n".join([f"{whose} left something running, now ended", *found])
            journal.write("problem", kind="survivors", where=nodeid, text=text)

    def remark(self, text: str, nodeid: str) -> None:
        """Warn of something that the engine itself has found about a check."""
        told = {
            "text": text,
            "module": "pytest",
            "category": "PytestWarning",
            "filename": nodeid.partition("::")[0],
            "lineno": 0,
        }
        self.warn(told, "runtest", nodeid, None)


def replay_of(session: pytest.Session) -> Replay:
    """Return what tells of a session's checks; it prints their log where pytest would."""
    plugin = session.config.pluginmanager.get_plugin("logging-plugin")
    if plugin is None or isinstance(plugin.log_cli_handler, logging.NullHandler):
        return Replay(session.config)
    from pytest_yakei.engine.live import LiveReplay

    return LiveReplay(session, plugin)


def _category(module: str, name: str) -> type[Warning]:
    """Return a warning's class; that of a module which only the worker has imported is unknown."""
    found = getattr(sys.modules.get(module), name, None)  # importing would run a check's code
    return found if isinstance(found, type) and issubclass(found, Warning) else UserWarning

"""Writes each result to a file as it comes, so that a run that is cut short tells what it knows."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from yakei_shared.canary import CANARY
from yakei_shared.redaction import Redactor


class Journal:
    """JSON lines: session, collecting, collected, canary, started, finished, problem, end.

    A `finished` line holds the test's entry exactly as pytest-json-report would report it; so does
    the line of the canary, which is no check and is not counted as one.
    """

    def __init__(self, path: Path, redactor: Redactor, config: pytest.Config) -> None:
        self._config = config
        self._file = path.open("a", encoding="utf-8")
        self._redactor = redactor
        self.allows_skip: Callable[[str], bool] = lambda _: False
        """Whether a file may skip itself without a word: `[run] allow_skips`."""
        self.worker = ""
        """The slot's worker in which the next check to be told begins."""

    def write(self, event: str, **facts: Any) -> None:
        """Append a line and hand it to the system at once."""
        line = {"event": event, **self._redactor.redact_values(facts)}
        self._file.write(json.dumps(line, default=str) + "\n")
        self._file.flush()

    def pytest_sessionstart(self) -> None:
        """Say which process this is."""
        self.write("session", pid=os.getpid(), at=time.time())

    def pytest_collectstart(self, collector: pytest.Collector) -> None:
        """Say which file is imported now: importing can hang, and end the process."""
        is_file = isinstance(collector, pytest.File | pytest.Directory)
        if is_file and collector.nodeid != ".":
            self.write("collecting", where=collector.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self) -> None:
        """Say that the files are imported: the hooks of a conftest.py can hang too."""
        self.write("collecting", where="")

    def collected(self, due: list[pytest.Item], not_due: list[pytest.Item]) -> None:
        """Say which checks there are, in the order in which they will run."""
        self.write(
            "collected",
            checks=[item.nodeid for item in due],
            not_due=[item.nodeid for item in not_due],
            timeouts=dict(_own_timeouts(due)),
        )

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Say at once which file does not import, or judges nothing because it skips itself."""
        text = report.longreprtext
        if report.skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else text
            text = f"{report.nodeid} is not judged: {reason}"
        if report.failed or (report.skipped and not self.allows_skip(report.nodeid)):
            self.write("problem", kind="collection", where=report.nodeid, text=text)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Say which check runs now."""
        if nodeid != CANARY:
            self.write("started", nodeid=nodeid, at=time.time(), worker=self.worker)

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep a check's result when its last phase has been reported."""
        if report.when == "teardown":
            event = "canary" if report.nodeid == CANARY else "finished"
            self.write(event, test=self._entry(report.nodeid))

    def _entry(self, nodeid: str) -> dict[str, Any]:
        """Return the test's entry of pytest-json-report, which has no public way to ask for it."""
        report = self._config._json_report  # type: ignore[attr-defined]  # noqa: SLF001 - see above
        entry: dict[str, Any] = report._json_tests[nodeid]  # noqa: SLF001 - see above
        return entry

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Say that pytest came to its end by itself."""
        self.write("end", exitcode=int(exitstatus))

    def pytest_unconfigure(self) -> None:
        """Close the file."""
        self._file.close()


def _own_timeouts(items: Iterable[pytest.Item]) -> Iterator[tuple[str, float]]:
    """Yield the id and the seconds of each check whose limit differs from that of the run."""
    for item in items:
        mark = item.get_closest_marker("timeout")
        if mark is not None and (
            limit := mark.args[0] if mark.args else mark.kwargs.get("timeout")
        ):
            yield item.nodeid, float(limit)


def already_begun(path: Path) -> set[str]:
    """Return the ids of the checks that an earlier process of this run has begun or finished."""
    begun = set()
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue  # the process died while it wrote this line
        if event.get("event") == "started":
            begun.add(str(event["nodeid"]))
    return begun

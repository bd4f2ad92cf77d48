"""Writes each result to a file as it comes, so that a run that is cut short tells what it knows."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from _pytest.subtests import SubtestReport

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
        self.fatal: set[str] = set()
        """What is not collected: the node ids at which earlier processes of this run ended."""
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

    def collected(self, due: list[pytest.Item], not_due: list[pytest.Item]) -> None:
        """Say which checks there are, in the order in which they will run."""
        self.write(
            "collected",
            checks=[item.nodeid for item in due],
            not_due=[item.nodeid for item in not_due],
            timeouts=dict(_own_timeouts(due)),
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> pytest.CollectReport | None:
        """Leave out what an earlier process of this run did not survive; the runner has told it."""
        if collector.nodeid not in self.fatal:
            return None
        return pytest.CollectReport(collector.nodeid, "passed", None, [])

    @pytest.hookimpl(wrapper=True, specname="pytest_make_collect_report")
    def pytest_yakei_tell_what_is_collected(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Say which file or folder is imported now: it may hang, or end the process."""
        if isinstance(collector, pytest.Session):
            return (yield)
        self.write("collecting", where=collector.nodeid)
        report = yield  # what ends the session leaves it open, and is at fault
        self.write("collecting", where="")
        return report

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
        if report.failed and not isinstance(report, SubtestReport):
            self._correct(self._entry(report.nodeid), report)
        if report.when == "teardown":
            event = "canary" if report.nodeid == CANARY else "finished"
            self.write(event, test=self._entry(report.nodeid))

    def _correct(self, entry: dict[str, Any], report: pytest.TestReport) -> None:
        """Take in a failure that a hook of the suite has found after pytest-json-report's."""
        phase = entry.get(str(report.when), {})
        if phase.get("outcome") == "passed":
            phase |= {"outcome": "failed", "longrepr": report.longreprtext}
            entry["outcome"] = "failed"

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


def already_begun(path: Path) -> tuple[set[str], set[str]]:
    """Return what earlier processes of this run have begun.

    Returns:
        The ids of the checks that they have begun or finished; and the node ids that they were
        collecting when they ended.
    """
    begun: set[str] = set()
    fatal: set[str] = set()
    collecting = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue  # the process died while it wrote this line
        match event.get("event"):
            case "started":
                begun.add(str(event["nodeid"]))
            case "collecting":
                collecting = str(event["where"])
            case "session":
                fatal.add(collecting)
                collecting = ""
    return begun, (fatal | {collecting}) - {""}

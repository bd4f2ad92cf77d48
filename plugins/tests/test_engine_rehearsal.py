"""Before many workers are forked pytest is rehearsed, and nobody but the workers is the wiser."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from engine_runs import Run, command, run_checks, run_command

pytestmark = pytest.mark.slow

TOGETHER = """
import json, multiprocessing, os, pathlib, pytest, sys
MEET = multiprocessing.get_context("fork").Barrier(8)
@pytest.mark.parametrize("number", range(8))
def test_meets(number, request):
    MEET.wait(30)
    told = getattr(request.node, "told", {})
    told |= {"rehearsed": "pytest_yakei.engine.rehearsal" in sys.modules, "pid": os.getpid()}
    pathlib.Path(f"{number}.json").write_text(json.dumps(told))
"""
"""Eight checks that are all begun before any ends, and so have a worker each."""
OPTIONS = ("--yakei-slots=8", "-p", "no:randomly")


def told(folder: Path) -> list[dict[str, Any]]:
    """Return what each of the eight workers has told of itself."""
    return [json.loads(file.read_text()) for file in sorted(folder.glob("?.json"))]


def rehearsed(folder: Path) -> list[bool]:
    return [each["rehearsed"] for each in told(folder)]


def run_together(folder: Path, conftest: str, *options: str, **environment: str) -> Run:
    (folder / "conftest.py").write_text(conftest, encoding="utf-8")
    (folder / "test_it.py").write_text(TOGETHER, encoding="utf-8")
    return run_command(folder, command(folder, *OPTIONS, *options), environment)


def test_the_first_two_workers_do_not_wait_for_it_and_the_others_have_it(tmp_path: Path) -> None:
    run_together(tmp_path, "")

    assert sorted(rehearsed(tmp_path)) == [False] * 2 + [True] * 6


HEARING = """
import os, pathlib, pytest
HEARD = pathlib.Path(__file__).with_name("heard")
def hear(word):
    with HEARD.open("a") as file:
        file.write(f"{word}\\n")
class Plugin:
    def pytest_runtest_protocol(self, item): hear(item.nodeid)
    def pytest_runtest_setup(self, item): hear(item.nodeid)
    def pytest_runtest_call(self, item): hear(item.nodeid)
    def pytest_pyfunc_call(self, pyfuncitem): hear(pyfuncitem.nodeid)
    def pytest_runtest_teardown(self, item): hear(item.nodeid)
    def pytest_runtest_makereport(self, item): hear(item.nodeid)
    def pytest_runtest_logstart(self, nodeid): hear(nodeid)
    def pytest_runtest_logreport(self, report): hear(report.nodeid)
    def pytest_runtest_logfinish(self, nodeid): hear(nodeid)
    def pytest_fixture_setup(self, request): hear(request.node.nodeid)
    def pytest_fixture_post_finalizer(self, request): hear(request.node.nodeid)
    def pytest_itemcollected(self, item): hear(item.nodeid)
class Ours(Plugin): pass
Ours.__module__ = "pytest_yakei.plugin"  # it keeps the run's journal
def pytest_configure(config):
    config.pluginmanager.register(Plugin())
    config.pluginmanager.register(Ours())
for name, hook in vars(Plugin).items():
    if name.startswith("pytest_"):
        exec(f"def {name}({hook.__code__.co_varnames[1]}): "
             f"Plugin.{name}(None, {hook.__code__.co_varnames[1]})")
@pytest.fixture(autouse=True)
def surroundings(request): hear(request.node.nodeid)
"""


def test_no_conftest_plugin_or_fixture_hears_of_it(tmp_path: Path) -> None:
    run_together(tmp_path, HEARING)
    heard = set((tmp_path / "heard").read_text().splitlines())

    assert any(rehearsed(tmp_path))
    assert heard == {f"test_it.py::test_meets[{number}]" for number in range(8)}


def test_nothing_is_reported_of_it(tmp_path: Path) -> None:
    options = ("-rA", f"--junit-xml={tmp_path / 'junit.xml'}", "--durations=0", "-vv")
    ended = run_together(tmp_path, "", *options)
    written = [
        ended.output,
        *((tmp_path / name).read_text() for name in ("report.json", "junit.xml")),
    ]

    assert any(rehearsed(tmp_path))
    assert "8 passed in" in ended.output
    assert not [text for text in written if "rehearsal" in text]


STATE = """
import gc, logging, os, pytest, signal, sys, threading, time, warnings
sys.last_value = ValueError("of the collection")
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    root, session = logging.getLogger(), item.session
    item.told = {
        "environment": sorted(os.environ.items()),
        "warnings": [str(each) for each in warnings.filters],
        "logging": [root.level, [str(each) for each in root.handlers]],
        "signals": [str(signal.getsignal(each)) for each in signal.valid_signals()],
        "mask": [int(each) for each in signal.pthread_sigmask(signal.SIG_BLOCK, ())],
        "timer": signal.getitimer(signal.ITIMER_REAL),
        "last": [repr(getattr(sys, f"last_{name}", None)) for name in ("type", "value", "exc")],
        "session": [session.testsfailed, session.testscollected, len(session.items)],
        "stops": [str(session.shouldfail), str(session.shouldstop)],
        "set up": [each.nodeid for each in session._setupstate.stack],
        "plugins": sorted(item.config.pluginmanager._name2plugin),
        "streams": [type(each).__name__ for each in (sys.stdin, sys.stdout, sys.stderr)],
        "descriptors": len(os.listdir("/proc/self/fd")),
        "threads": [each.name for each in threading.enumerate()],
        "garbage": [gc.isenabled(), gc.get_threshold()],
        "folder": os.getcwd(),
    }
    return (yield)
"""


def test_a_first_check_finds_the_same_with_and_without_it(tmp_path: Path) -> None:
    run_together(tmp_path, STATE, PYTEST_CURRENT_TEST="of another pytest")
    found: dict[bool, set[str]] = {True: set(), False: set()}
    for each in told(tmp_path):
        found[each.pop("rehearsed")].add(json.dumps(each | {"pid": 0}))

    assert len(found[True]) == 1
    assert found[True] == found[False]


SEEING = """
import pathlib, pytest
own = pytest.Function.setup
def setup(self):
    with pathlib.Path(__file__).with_name("seen").open("a") as file:
        file.write(self.name)
    own(self)
pytest.Function.setup = setup
"""
OVERHEARING = {
    "a plugin that writes all reports": "def pytest_report_to_serializable(report): pass",
    "a plugin that watches all hooks": """
def pytest_configure(config):
    nothing = lambda *_: None
    config.pluginmanager.add_hookcall_monitoring(nothing, nothing)
""",
}


@pytest.mark.parametrize("conftest", OVERHEARING.values(), ids=OVERHEARING)
def test_it_is_left_out_where_somebody_would_hear(tmp_path: Path, conftest: str) -> None:
    ended = run_together(tmp_path, SEEING + conftest)

    assert "8 passed" in ended.output
    assert "rehearsal" not in (tmp_path / "seen").read_text()


def test_it_is_left_out_for_few_slots(tmp_path: Path) -> None:
    checks = TOGETHER.replace("Barrier(8)", "Barrier(4)")

    assert run_checks(tmp_path, checks, "--yakei-slots=4").exit_code == os.EX_OK
    assert not any(rehearsed(tmp_path))


FAILING = """
import pytest
own = pytest.Function.setup
def setup(self):
    assert self.name != "rehearsal"
    own(self)
pytest.Function.setup = setup
"""


def test_when_it_fails_the_checks_run_without_it(tmp_path: Path) -> None:
    ended = run_together(tmp_path, FAILING)

    assert ended.exit_code == os.EX_OK
    assert list(ended.outcomes.values()) == ["passed"] * 8
    assert not any(rehearsed(tmp_path))

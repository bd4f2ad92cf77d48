"""In slots, nothing is ended, told or charged for which no check is to blame."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from engine_runs import run_checks, started
from servers.processes import wait_until

from pytest_yakei.engine.keeper import leaves_unknown_children

pytestmark = pytest.mark.slow

SENDS = """
import subprocess
senders = []
def pytest_runtest_logreport(report):
    if report.failed:
        senders.append(subprocess.Popen(["sh", "-c", "read go; echo sent"], stdin=subprocess.PIPE,
                                        stdout=open("alerts", "w")))
def pytest_unconfigure():
    for each in senders: each.communicate(b"go\\n")
"""


def test_what_a_hook_of_the_suite_has_started_is_nobodys_orphan(tmp_path: Path) -> None:
    """It may send an alert of the application's own, after the last slot has ended."""
    (tmp_path / "conftest.py").write_text(SENDS, encoding="utf-8")
    checks = "import os, signal\ndef test_it(): os.kill(os.getppid(), signal.SIGKILL)"
    run_checks(tmp_path, f"{checks}\ndef test_fails(): assert 0", "--yakei-slots=2")

    assert (tmp_path / "alerts").read_text(encoding="utf-8") == "sent\n"


SERVES = """
import pytest, subprocess, threading

class Threads:
    def __init__(self): self.over, self.threads = threading.Event(), []
    def begin(self):
        self.threads.append(threading.Thread(target=self.over.wait)); self.threads[-1].start()
    def end(self):
        self.over.set()
        for each in self.threads: each.join()

@pytest.fixture(scope="session")
def server():
    with subprocess.Popen(["sleep", "80"]) as process:
        yield process
        process.kill()

@pytest.fixture(scope="session")
def loop():
    threads = Threads()
    yield threads
    threads.end()

@pytest.mark.parametrize("number", range(3))
def test_process(request, number):
    assert request.getfixturevalue("server").poll() is None

@pytest.mark.parametrize("number", range(3))
def test_thread(loop, number): loop.begin()
"""


def test_what_a_fixture_of_the_session_has_started_lives_as_long_as_it(tmp_path: Path) -> None:
    """Also when a check asks for it in its own code; and a thread of it ends with it."""
    ended = run_checks(tmp_path, SERVES, "--yakei-slots=1")

    assert set(ended.outcomes.values()) == {"passed"}
    assert len(ended.outcomes) == 6
    assert "left running" not in ended.output


STARTS = """
import pytest, subprocess

@pytest.fixture
def broken():
    subprocess.Popen(["sleep", "80.5"])
    raise RuntimeError("no")

def test_broken(broken): pass

def test_after():
    ps = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True)
    assert "sleep 80.5" not in ps.stdout
"""


def test_what_a_failed_setup_has_started_is_ended_in_its_name(tmp_path: Path) -> None:
    ended = run_checks(tmp_path, STARTS, "--yakei-slots=1")

    assert ended.outcomes == {"test_broken": "error", "test_after": "passed"}
    assert "test_it.py::test_broken left running, now ended: pid " in ended.output


LASTING = {
    "user": "os.seteuid(65534)",
    "timers": "signal.setitimer(signal.ITIMER_VIRTUAL, 60)",
}


@pytest.mark.server  # as root, who alone can be somebody else
@pytest.mark.parametrize("what", LASTING)
def test_a_lasting_change_is_not_the_next_checks(tmp_path: Path, what: str) -> None:
    checks = f"""
import os, signal
def test_changes(): {LASTING[what]}
def test_after():
    assert os.geteuid() == os.getuid()
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0, 0)
"""
    ended = run_checks(tmp_path, checks, "--yakei-slots=1")

    assert ended.outcomes == {"test_changes": "passed", "test_after": "passed"}
    assert f"changed the {what} of its process" in ended.output


WAITS = """
import pathlib, pytest, time
here = pathlib.Path(__file__).parent

@pytest.mark.parametrize("number", range(2))
def test_it(number):
    (here / f"begun-{number}").touch()
    while not (here / "stopped").exists(): time.sleep(0.01)
"""


def test_the_time_in_which_pytest_was_stopped_is_charged_to_no_check(tmp_path: Path) -> None:
    """As by Ctrl-Z and `fg`; here it is stopped for twice the checks' time."""
    (tmp_path / "test_it.py").write_text(WAITS, encoding="utf-8")
    with started(tmp_path, "--yakei-slots=2", "--timeout=2") as process:
        wait_until(lambda: len(list(tmp_path.glob("begun-*"))) == 2, "both checks have begun")
        os.kill(process.pid, signal.SIGSTOP)
        (tmp_path / "stopped").touch()
        time.sleep(4)  # the time that it is stopped for
        os.kill(process.pid, signal.SIGCONT)
        assert process.wait(30) == 0


@pytest.fixture
def shells(tmp_path: Path) -> Path:
    """A folder in which `sh` is a link to another shell, as systems have it."""
    (tmp_path / "bash").touch(mode=0o755)
    (tmp_path / "dash").touch(mode=0o755)
    return tmp_path


@pytest.mark.parametrize(("shell", "fit"), [("bash", False), ("dash", True), ("none", False)])
def test_the_keeper_is_no_shell_that_takes_a_workers_exit_status(
    shells: Path, shell: str, *, fit: bool
) -> None:
    (shells / "sh").symlink_to(shell)

    assert leaves_unknown_children(str(shells / "sh")) is fit

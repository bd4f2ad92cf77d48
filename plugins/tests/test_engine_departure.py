"""How a worker that is ended from outside still says where it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from servers.processes import wait_until

from pytest_yakei.engine import departure

STOPPED = f"""\
import faulthandler, os, signal, sys, time

faulthandler.register({departure.DUMP_SIGNAL:d}, open(sys.argv[1], "w"))

def run_out(*_):
    os._exit(9)

signal.signal(signal.SIGALRM, run_out)

def the_check():
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(60)

the_check()
"""


def test_a_stopped_worker_tells_its_place_before_its_own_timeout_takes_it_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if we are preempted between two signals, as on a busy machine."""
    words = tmp_path / "words"
    kill = os.kill

    def preempted(pid: int, number: int) -> None:
        kill(pid, number)
        time.sleep(0.1)

    with ExitStack() as stack:
        worker = stack.enter_context(subprocess.Popen([sys.executable, "-c", STOPPED, words]))
        stack.callback(worker.kill)
        os.waitid(os.P_PID, worker.pid, os.WSTOPPED)
        _await_alarm(worker.pid)
        file = stack.enter_context(words.open("rb"))
        with monkeypatch.context() as patch:
            patch.setattr(os, "kill", preempted)
            for _ in departure._dump_stacks(worker.pid, file.fileno()):
                time.sleep(departure.STEP)

    assert "in the_check" in words.read_text(encoding="utf-8")


def _await_alarm(pid: int) -> None:
    """Wait until the stopped process's own timer has run out."""
    bit = 1 << (signal.SIGALRM - 1)
    status = Path(f"/proc/{pid}/status")

    def is_pending() -> bool:
        return bool(int(status.read_text().partition("ShdPnd:")[2].split()[0], 16) & bit)

    wait_until(is_pending, "the timer")

"""In slots, a check that forks hears of no thread that is not its own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from engine_runs import run_checks

CHECKS = """
import os, threading

def fork():
    if not os.fork():
        os._exit(0)
    os.wait()

def test_alone():
    fork()

def test_beside_a_thread():
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    fork()
    over.set()
    thread.join()
"""


@pytest.mark.parametrize("slots", [0, 1])
def test_python_warns_of_a_fork_beside_a_checks_own_threads_only(
    tmp_path: Path, slots: int
) -> None:
    """It warns from 3.12 on."""
    ended = run_checks(tmp_path, CHECKS, f"--yakei-slots={slots}")
    warned = ended.output.partition("warnings summary")[2]

    assert set(ended.outcomes.values()) == {"passed"}
    assert "test_alone" not in warned
    assert ("test_beside_a_thread" in warned) == (sys.version_info >= (3, 12))

"""What a pid file, the process it names and the service's answer mean together."""

from __future__ import annotations

import os
import signal
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from bystanders import NOBODYS_PID, Start, asleep, wait_stopped
from forged import Forge, forge, judged, open_port
from servers.processes import wait_until

from pytest_yakei.probes.pidfiles import Verdict

__all__ = ["asleep", "forge", "open_port"]


def test_a_service_that_answers_and_whose_file_names_it_is_well(
    asleep: Start, forge: Forge, open_port: int
) -> None:
    pidfile = judged(forge(asleep("httpd").pid), port=open_port)

    assert pidfile.verdict() is Verdict.RUNNING
    assert not pidfile.problems()
    assert not pidfile.unrecorded()


def test_a_live_stranger_poisons_the_next_start(
    asleep: Start, forge: Forge, closed_port: int
) -> None:
    pid = asleep().pid
    pidfile = judged(forge(pid), port=closed_port)

    fact, *details = str(pidfile.problems()).splitlines()

    assert fact == f"pid {pid} is sleep, not httpd; start will refuse"
    assert f"Do        1. ss -ltnp 'sport = :{closed_port}'" in "\n".join(details)


def test_the_way_out_of_a_poisoned_start_is_told(
    asleep: Start, forge: Forge, closed_port: int
) -> None:
    path = forge(asleep().pid)

    text = str(judged(path, port=closed_port, start="apachectl start").problems())

    assert "Do NOT    run httpd -k stop, restart or graceful: it would signal sleep." in text
    assert f"2. rm {path} && apachectl start" in text


def test_a_stranger_beside_a_running_service_would_be_signalled(
    asleep: Start, forge: Forge, open_port: int
) -> None:
    pid = asleep().pid

    pidfile = judged(forge(pid), port=open_port)

    assert pidfile.verdict() is Verdict.MISDIRECTED
    fact = str(pidfile.problems()).splitlines()[0]
    assert fact == f"pid {pid} is sleep, not httpd; graceful/stop would signal sleep"


def test_a_dead_pid_is_down_and_not_poisoned(forge: Forge, closed_port: int) -> None:
    pidfile = judged(forge(NOBODYS_PID), port=closed_port)

    text = str(pidfile.problems())

    assert text.startswith(f"httpd is down: pid {NOBODYS_PID} is dead\n")
    assert "refuse to" not in text
    assert "does not hinder a start" in text


def test_a_dead_pid_while_the_service_runs_is_for_the_morning(forge: Forge, open_port: int) -> None:
    pidfile = judged(forge(NOBODYS_PID), port=open_port)

    assert not pidfile.problems()
    assert str(pidfile.unrecorded()).startswith(f"httpd runs, but pid {NOBODYS_PID} is dead\n")


def test_a_running_service_is_named_so_that_the_file_can_be_repaired(
    asleep: Start, forge: Forge, open_port: int
) -> None:
    path, pid = forge(NOBODYS_PID), asleep("httpd").pid

    text = str(judged(path, port=open_port).unrecorded())

    assert f"httpd itself is pid {pid}:" in text
    assert f"echo {pid} > {path}" in text


def test_the_right_process_that_does_not_answer_hangs(
    asleep: Start, forge: Forge, closed_port: int
) -> None:
    pid = asleep("httpd").pid

    text = str(judged(forge(pid), port=closed_port).problems())

    assert text.startswith(f"httpd (pid {pid}) does not answer at 127.0.0.1:{closed_port}\n")
    assert f"ps -o pid,stat,wchan:20,etime,args -p {pid}" in text


def test_a_listener_that_says_nothing_hangs(asleep: Start, forge: Forge, silent_port: int) -> None:
    """A bare connection would call this well."""
    quickly = timedelta(seconds=0.2)

    pidfile = judged(
        forge(asleep("httpd").pid), port=silent_port, answer=None, answer_within=quickly
    )

    assert pidfile.verdict() is Verdict.HUNG


def test_a_stopped_process_serves_nobody(asleep: Start, forge: Forge, open_port: int) -> None:
    stopped = asleep("httpd")
    stopped.send_signal(signal.SIGSTOP)
    wait_stopped(stopped.pid)

    text = str(judged(forge(stopped.pid), port=open_port).problems())

    assert text.startswith(f"httpd (pid {stopped.pid}) is stopped and serves nobody\n")
    assert f"kill -CONT {stopped.pid}" in text


def test_a_zombie_is_dead(forge: Forge, closed_port: int) -> None:
    with subprocess.Popen(["true"]) as ended:
        wait_until(lambda: " Z " in Path(f"/proc/{ended.pid}/stat").read_text(), "a zombie")
        text = str(judged(forge(ended.pid), port=closed_port).problems())

    assert text.startswith(f"httpd is down: pid {ended.pid} is a zombie\n")
    assert f"Until its parent, pid {os.getpid()}, reaps the zombie" in text


def test_an_illegible_file_of_a_running_service_keeps_stop_from_it(
    forge: Forge, open_port: int
) -> None:
    text = str(judged(forge(""), port=open_port).problems())

    assert text.startswith("pid file is empty; graceful/stop cannot reach httpd\n")


@pytest.mark.parametrize(
    ("content", "fact"),
    [
        pytest.param("", "pid file is empty", id="empty"),
        pytest.param("\n\n", "pid file is empty", id="blank"),
        pytest.param("garbage\n", 'pid file holds "garbage", no pid', id="a word"),
        pytest.param("-1\n", 'pid file holds "-1", no pid', id="everybody"),
        pytest.param("0\n", 'pid file holds "0", no pid', id="our own group"),
        pytest.param("1" * 20, f'pid file holds "{"1" * 20}", no pid', id="20 digits"),
        pytest.param("\x1b[2J" + "x" * 30, 'pid file holds "?[2J', id="terminal escapes"),
        pytest.param("12 34\n", 'pid file holds "12 34", no pid', id="two numbers"),
    ],
)
def test_a_file_that_names_no_process_fails(
    forge: Forge, closed_port: int, content: str, fact: str
) -> None:
    pidfile = judged(forge(content), port=closed_port)

    assert pidfile.verdict() is Verdict.ILLEGIBLE
    assert str(pidfile.problems()).splitlines()[0].startswith(fact)


def test_no_file_and_no_service_is_down(tmp_path: Path, closed_port: int) -> None:
    text = str(judged(tmp_path / "httpd.pid", port=closed_port).problems())

    assert text.startswith("httpd is down: there is no pid file\n")


def test_no_file_while_the_service_runs_is_for_the_morning(tmp_path: Path, open_port: int) -> None:
    pidfile = judged(tmp_path / "httpd.pid", port=open_port)

    assert not pidfile.problems()
    assert str(pidfile.unrecorded()).startswith("httpd runs, but there is no pid file\n")


def test_without_a_port_the_process_alone_decides(asleep: Start, forge: Forge) -> None:
    path = forge(asleep("httpd-of-ours").pid)

    assert judged(path, program="httpd-of-ours").verdict() is Verdict.RUNNING
    assert judged(path, program="httpd-of-theirs").verdict() is Verdict.POISONED

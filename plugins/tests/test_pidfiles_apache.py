"""Apache itself agrees with what we say about its pid file."""

from __future__ import annotations

from datetime import timedelta

import pytest
from apache import Apache, apache
from bystanders import Start, asleep
from forged import judged

from pytest_yakei.probes.pidfiles import PidFile, Verdict

pytestmark = pytest.mark.server

__all__ = ["apache", "asleep"]


def of_apache(server: Apache) -> PidFile:
    soon = timedelta(seconds=1)
    given = {"program": "apache2", "port": server.port, "answer": None, "answer_within": soon}
    return judged(server.pid_file, **given)


def test_a_running_apache_is_well(apache: Apache) -> None:
    assert of_apache(apache).verdict() is Verdict.RUNNING


def test_an_apache_whose_workers_hang_is_not_well(apache: Apache) -> None:
    apache.freeze()

    assert of_apache(apache).verdict() is Verdict.HUNG


def test_a_poisoned_apache_refuses_to_start_as_we_say(apache: Apache, asleep: Start) -> None:
    apache.kill()
    stranger = asleep()
    apache.pid_file.write_text(f"{stranger.pid}\n")

    text = str(of_apache(apache).problems())
    said = apache.command("start")

    assert text.startswith(f"pid {stranger.pid} is sleep, not apache2; start will refuse")
    assert 'would print "already running", exit 0 and start nothing' in text
    assert "already running" in said.stdout
    assert said.returncode == 0


def test_apache_signals_the_innocent_as_we_say(apache: Apache, asleep: Start) -> None:
    stranger = asleep()
    apache.pid_file.write_text(f"{stranger.pid}\n")

    text = str(of_apache(apache).problems())
    apache.command("graceful")

    assert "graceful/stop would signal sleep" in text
    assert stranger.wait(5) < 0


def test_apache_refuses_an_empty_file_as_we_say(apache: Apache) -> None:
    apache.kill()
    apache.pid_file.write_text("")

    text = str(of_apache(apache).problems())
    said = apache.command("start")

    assert "would end with AH00058 and exit 1" in text
    assert "AH00058" in said.stdout
    assert said.returncode == 1


def test_a_killed_apache_can_be_started_as_we_say(apache: Apache) -> None:
    apache.kill()
    probed = of_apache(apache)

    assert "does not hinder a start" in str(probed.problems())
    apache.start()
    assert probed.verdict() is Verdict.RUNNING

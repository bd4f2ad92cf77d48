"""A run that is told to end does so at once, leaves nothing behind, and alarms nobody."""

from __future__ import annotations

import signal
import time

import pytest
from receivers import MailServer, Reply, WebServer
from repository import FAILING, PASSING, Repository, mail_table, slack_table, subjects
from servers.processes import wait_until

from yakei.execution.processes import command_line, every_pid

pytestmark = pytest.mark.slow  # each starts whole runs


@pytest.mark.parametrize(
    ("signum", "code"),
    [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)],
    ids=["TERM", "INT", "HUP"],
)
def test_a_run_that_is_told_to_end_alarms_nobody(
    repository: Repository, mail: MailServer, signum: signal.Signals, code: int
) -> None:
    repository.configure(mail_table(mail), run='log = "run.log"')
    repository.write_waiting()
    repository.check(
        "sleeps", "import subprocess\n\ndef test_a():\n    subprocess.run(['sleep', '9971'])"
    )

    with repository.busy("monitors/test_waiting.py") as process:
        process.send_signal(signum)

        assert process.wait(10) == code
    (repository.monitors / "test_sleeps.py").unlink()
    repository.let_go()
    after = repository.run()
    assert (after.code, mail.mails) == (0, [])


def test_the_children_of_an_ended_run_are_ended(repository: Repository) -> None:
    repository.check(
        "sleeps",
        """
        import subprocess

        def test_sleeps():
            subprocess.run(["setsid", "sh", "-c", 'trap "" TERM; sleep 9981; sleep 9982'])
    """,
    )

    def sleepers() -> list[int]:
        return [pid for pid in every_pid() if "sleep 998" in command_line(pid)]

    with repository.started() as process:
        wait_until(sleepers, "the check has started its child")
        process.terminate()

        assert process.wait(10) == 143
    assert sleepers() == []


def test_a_killed_run_leaves_no_lock_and_no_children(repository: Repository) -> None:
    repository.write_waiting()

    with repository.busy() as process:
        process.kill()
        process.wait(10)
        wait_until(lambda: not checks_of(repository), "the kernel has ended pytest")
    repository.let_go()

    assert repository.run().code == 0


def checks_of(repository: Repository) -> list[int]:
    return [pid for pid in every_pid() if str(repository.monitors) in command_line(pid)]


def test_runs_that_did_not_come_are_told_once(repository: Repository, mail: MailServer) -> None:
    repository.configure(mail_table(mail), run='interval = "2s"')
    repository.check("index", PASSING)
    repository.run()
    let_pass(seconds=4.2)
    late = repository.run()
    repository.configure(mail_table(mail), run='interval = "1m"')

    again = repository.run()

    assert (late.code, again.code) == (0, 0)
    assert ["no run between" in each for each in subjects(mail)] == [True]


def test_a_reminder_comes_when_its_time_has_come(repository: Repository, mail: MailServer) -> None:
    repository.configure(mail_table(mail), alerts='reminder_interval = "2s"')
    repository.check("crawler", FAILING)
    repository.run()
    repository.configure(mail_table(mail), alerts='reminder_interval = "1h"')
    repository.run()
    silent = len(mail.mails)
    repository.configure(mail_table(mail), alerts='reminder_interval = "2s"')
    let_pass(seconds=2.2)

    ran = repository.run()

    assert (ran.code, silent, len(mail.mails)) == (1, 1, 2)
    assert "3 runs, since" in mail.mails[1].text


def let_pass(*, seconds: float) -> None:
    """Wait for what is judged by the clock of the machine."""
    ends = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= ends, f"{seconds} s have passed")


def test_a_crash_between_saving_and_telling_loses_no_message(
    repository: Repository, slack: WebServer
) -> None:
    """The message is in the state before it is sent; the next run sends it."""
    repository.configure(slack_table(slack, 'timeout = "30s"'))
    repository.check("crawler", FAILING)
    slack.script = [Reply(manner="silent")]

    with repository.started() as process:
        wait_until(lambda: slack.requests, "the message is being sent")
        process.kill()
        process.wait(10)
    ran = repository.run()

    assert ran.code == 1
    assert ["1396 rows" in request.json["text"] for request in slack.requests] == [True, True]

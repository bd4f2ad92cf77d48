"""One run at a time, a hanging check costs only itself, and a deadline is a deadline."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from receivers import MailServer
from repository import FAILING, PASSING, Repository, mail_table, subjects
from servers.processes import wait_until
from servers.requirements import program

from yakei.execution.processes import command_line, every_pid

pytestmark = pytest.mark.slow  # each starts whole runs


@pytest.fixture
def setlock() -> str:
    return program("setlock", what="daemontools' setlock", package="daemontools")


@pytest.fixture
def waiting(repository: Repository, mail: MailServer) -> Repository:
    """Give a repository with a check that waits to be let go."""
    repository.configure(mail_table(mail), run='log = "run.log"')
    repository.write_waiting()
    return repository


def test_a_second_run_tells_who_holds_the_lock(waiting: Repository, mail: MailServer) -> None:
    with waiting.busy() as first:
        second = waiting.run()
        waiting.let_go()

        assert first.wait(20) == 0
    text = mail.mails[0].text
    assert (second.code, second.stdout) == (111, "")
    assert len(mail.mails) == 1
    assert f"is held by pid {first.pid}" in "\n".join([*subjects(mail), text])
    assert "monitors/test_waiting.py::test_slow_thing for" in text


def test_a_third_and_fourth_run_say_nothing_more(waiting: Repository, mail: MailServer) -> None:
    with waiting.busy():
        codes = [waiting.run().code for _ in range(3)]
        waiting.let_go()

    assert codes == [111, 111, 111]
    assert len(mail.mails) == 1
    log = (waiting.folder / "run.log").read_text()
    assert log.count("command exited with code:111") == 3


def test_a_busy_run_without_a_channel_is_on_stdout(waiting: Repository) -> None:
    waiting.configure()
    with waiting.busy():
        second = waiting.run()
        waiting.let_go()

    assert second.code == 111
    assert "is held by pid" in second.stdout


def test_on_busy_skip_is_silent(waiting: Repository, mail: MailServer) -> None:
    with waiting.busy():
        second = waiting.run("--on-busy=skip")
        waiting.let_go()

    assert (second.code, second.stdout, second.stderr) == (0, "", "")
    assert mail.mails == []


def test_on_busy_wait_runs_after_the_first(waiting: Repository, mail: MailServer) -> None:
    with waiting.busy() as first, waiting.started("--on-busy=wait") as second:
        wait_until(lambda: len(logged_starts(waiting)) == 2, "the second run has begun")
        waiting.let_go()

        assert (first.wait(20), second.wait(20)) == (0, 0)
    assert mail.mails == []


def test_a_run_that_waited_knows_what_the_first_has_told(
    waiting: Repository, mail: MailServer
) -> None:
    waiting.check("crawler", FAILING)
    with waiting.busy() as first, waiting.started("--on-busy=wait") as second:
        wait_until(lambda: len(logged_starts(waiting)) == 2, "the second run has begun")
        waiting.let_go()

        assert (first.wait(20), second.wait(20)) == (1, 1)
    assert len(mail.mails) == 1


def test_two_suites_with_one_lock_exclude_each_other(waiting: Repository, tmp_path: Path) -> None:
    lock = tmp_path / "monitor.lock"
    other = Repository(tmp_path / "other")
    other.check("index", PASSING)

    with waiting.busy("--lock", str(lock)):
        busy = other.run("--lock", str(lock))
        waiting.let_go()
    free = other.run("--lock", str(lock))

    assert (busy.code, free.code) == (111, 0)


def test_the_lock_is_that_of_setlock(waiting: Repository, tmp_path: Path, setlock: str) -> None:
    lock = str(tmp_path / "monitor.lock")

    with waiting.busy("--lock", lock):
        theirs = subprocess.run([setlock, "-nX", lock, "true"], check=False, capture_output=True)
        waiting.let_go()
    with held_by_setlock(setlock, lock) as holder:
        ours = waiting.run("--lock", lock, "--no-notify")

    assert (theirs.returncode, ours.code) == (111, 111)
    assert f"held by pid {holder}" in ours.stdout


def test_a_stopped_holder_is_said_to_be_stopped(waiting: Repository, mail: MailServer) -> None:
    with waiting.busy() as first:
        os.kill(first.pid, signal.SIGSTOP)
        try:
            second = waiting.run()
        finally:
            os.kill(first.pid, signal.SIGCONT)
        waiting.let_go()

    assert second.code == 111
    assert "stopped (state T)" in mail.mails[0].text


def test_the_note_of_a_dead_holder_stops_nothing(repository: Repository) -> None:
    repository.check("index", PASSING)
    repository.state.mkdir()
    (repository.state / "lock").write_text('{"pid": 4194303, "started": "2020-01-01T00:00:00"}\n')

    assert repository.run().code == 0


def test_a_lock_that_cannot_be_made_is_told_and_the_checks_run(
    repository: Repository, mail: MailServer
) -> None:
    repository.configure(mail_table(mail))
    repository.check("crawler", FAILING)

    ran = repository.run("--lock", "/no/such/folder/lock")

    assert ran.code == 3
    assert "lock /no/such/folder/lock: its folder does not exist" in mail.mails[0].text
    assert "1396 rows" in mail.mails[0].text


def test_a_hanging_check_costs_only_itself(repository: Repository, mail: MailServer) -> None:
    repository.configure(mail_table(mail), run='timeout = "1s"')
    repository.check("hangs", "import time\n\ndef test_hangs():\n    time.sleep(60)")
    repository.check("index", PASSING)
    repository.check("web", PASSING.replace("index", "web"))

    ran = repository.run()

    assert (ran.code, ran.seconds < 8) == (1, True)
    assert "timed out after 1 s" in subjects(mail)[0]
    assert "3 checks: 1 timed out, 2 passed" in mail.mails[0].text


def test_a_check_that_python_cannot_interrupt_costs_only_itself(
    repository: Repository, mail: MailServer
) -> None:
    repository.configure(mail_table(mail), run='timeout = "1s"')
    repository.check(
        "hangs",
        """
        import signal, time

        def test_hangs():
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM, signal.SIGTERM})
            time.sleep(60)

        def test_later():
            pass
    """,
    )

    ran = repository.run()

    assert (ran.code, ran.seconds < 15) == (1, True)
    assert "2 checks: 1 timed out, 1 passed" in mail.mails[0].text


def test_the_deadline_keeps_what_is_known(repository: Repository, mail: MailServer) -> None:
    repository.configure(mail_table(mail), run="slots = 1")
    repository.check("a_crawler", FAILING)
    repository.check("b_hangs", "import time\n\ndef test_hangs():\n    time.sleep(60)")
    repository.check("c_later", PASSING)

    ran = repository.run("--deadline", "2s")

    text = mail.mails[0].text
    assert (ran.code, ran.stdout, ran.seconds < 5) == (124, "", True)
    assert "1396 rows" in text
    assert "monitors/test_b_hangs.py::test_hangs" in text
    assert "1 check not judged: monitors/test_c_later.py::test_index_is_fresh" in text


def test_the_deadline_ends_what_ignores_sigterm(repository: Repository) -> None:
    repository.check(
        "stubborn",
        """
        import subprocess

        def test_stubborn():
            subprocess.run(["sh", "-c", 'trap "" TERM; sleep 9871; sleep 9872'])
    """,
    )

    ran = repository.run("--deadline", "2s", "--no-notify")
    again = repository.run("--deadline", "2s", "--on-busy=skip", "--no-notify", "-k", "nothing")

    assert (ran.code, ran.seconds < 6) == (124, True)
    assert not [pid for pid in every_pid() if "sleep 987" in command_line(pid)]
    assert again.code != 111


def test_a_database_that_never_answers_ends_in_time(
    repository: Repository, mail: MailServer, silent_port: int
) -> None:
    url = f"postgresql://app:S3cr3tWord@127.0.0.1:{silent_port}/queue"
    repository.configure(f'{mail_table(mail)}\n[databases]\nmain = "{url}"', run='timeout = "2s"')
    repository.check("one", "def test_one(database):\n    database('main').scalar('select 1')")

    ran = repository.run("--deadline", "20s")

    assert (ran.code, ran.stdout) == (1, "")
    assert "[CRIT] app01 database main: timed out after 1.5 s" in subjects(mail)[0]
    assert "S3cr3tWord" not in mail.mails[0].text


def logged_starts(repository: Repository) -> list[str]:
    lines = (repository.folder / "run.log").read_text().splitlines()
    return [line for line in lines if " starting: " in line]


@contextmanager
def held_by_setlock(setlock: str, lock: str) -> Iterator[int]:
    """Give the pid of a setlock that has the lock."""
    command = [setlock, "-nX", lock, "sh", "-c", "echo held; exec cat"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, bufsize=0) as process:
        assert process.stdin
        assert process.stdout
        process.stdout.readline()
        yield process.pid
        process.stdin.close()

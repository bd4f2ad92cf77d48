"""The deadline is that of the whole run: fixtures, the second look and the telling included."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from receivers import SILENCE, MailServer, WebServer
from repository import PASSING, Repository, mail_table, slack_table, the_mail

pytestmark = pytest.mark.slow  # each starts whole runs

SLOTS = pytest.mark.parametrize("slots", [1, 4], ids=["pytest's own loop", "slots"])
HANGING = "import time\n\ndef test_hangs(): time.sleep(95)\n"
HANGING_IN_A_FIXTURE = """
    import pytest, time

    @pytest.fixture(scope="session")
    def connection():
        {setup}
        yield
        {teardown}

    def test_it(connection): pass
"""


@SLOTS
@pytest.mark.parametrize(
    ("setup", "teardown"), [("time.sleep(94)", ""), ("", "time.sleep(93)")], ids=["setup", "end"]
)
def test_a_session_fixture_that_hangs_is_ended_and_named(
    repository: Repository, mail: MailServer, slots: int, setup: str, teardown: str
) -> None:
    repository.configure(mail_table(mail), run=f"slots = {slots}")
    repository.check("index", PASSING)
    repository.check("z_fixture", HANGING_IN_A_FIXTURE.format(setup=setup, teardown=teardown))

    ran = repository.run("--deadline", "5s")

    assert (ran.code, ran.stdout) == (124, "")
    assert ran.seconds < 7
    assert "monitors/test_z_fixture.py::test_it had run for" in the_mail(mail)
    assert "1 timed out, 1 passed" in the_mail(mail)


SECOND_LOOK = """
    import pathlib, time

    def test_it():
        again = pathlib.Path("again")
        if again.exists():
            time.sleep(92)
        again.touch()
        raise AssertionError("the index is gone")
"""


@SLOTS
def test_a_second_look_that_hangs_is_ended_and_the_first_stands(
    repository: Repository, mail: MailServer, slots: int
) -> None:
    run = f'slots = {slots}\nconfirm_after = "1s"'
    repository.configure(mail_table(mail), run=run)
    repository.check("twice", SECOND_LOOK)

    ran = repository.run("--deadline", "6s")

    assert (repository.folder / "again").exists()
    assert ran.code == 1
    assert ran.seconds < 8
    assert "the index is gone" in the_mail(mail)


def test_there_is_no_second_look_that_would_come_too_late(
    repository: Repository, mail: MailServer
) -> None:
    repository.configure(mail_table(mail), run='confirm_after = "1m"')
    repository.check("once", "def test_it(): assert False, 'the index is gone'")

    ran = repository.run("--deadline", "20s")

    assert ran.code == 1
    assert ran.seconds < 15
    assert not list(repository.state.glob("runs/*/confirm*"))


def test_a_slow_channel_does_not_push_a_run_over_its_deadline(
    repository: Repository, mail: MailServer, slack: WebServer
) -> None:
    """The checks leave a tenth for the telling."""
    repository.configure(mail_table(mail) + slack_table(slack, 'timeout = "1s"'))
    repository.check("hangs", HANGING)
    slack.script = [SILENCE] * 3

    ran = repository.run("--deadline", "20s")

    assert ran.code == 124
    assert ran.seconds < 21  # with the time that the program takes to start
    assert "the deadline of 20 s ended the run" in mail.mails[0].text


@SLOTS
def test_what_had_no_turn_is_named(repository: Repository, mail: MailServer, slots: int) -> None:
    repository.configure(mail_table(mail), run=f"slots = {slots}")
    repository.check("a_hangs", HANGING + "\n".join(f"test_{n} = test_hangs" for n in range(3)))
    repository.check("index", PASSING)

    ran = repository.run("--deadline", "4s")

    assert ran.code == 124
    (line,) = (each for each in the_mail(mail).splitlines() if each.startswith("No turn"))
    assert "not judged: " in line
    assert line.endswith("monitors/test_index.py::test_index_is_fresh")


MEETING = """
    import os, pathlib, pytest, time

    ROUND = "second" if pathlib.Path("first-0").exists() else "first"

    @pytest.mark.parametrize("number", range(10))
    def test_it(number):
        pathlib.Path(f"{ROUND}-{number}").write_text(str(os.getpid()))
        while len(list(pathlib.Path().glob(f"{ROUND}-*"))) < 10:
            time.sleep(0.02)  # ends if all ten are under way at once
        raise AssertionError("the index is gone")
"""


def test_failing_checks_are_looked_at_once_more_all_at_once_in_new_workers(
    repository: Repository, mail: MailServer
) -> None:
    run = 'slots = 10\nconfirm_after = "1s"\ntimeout = "20s"'
    repository.configure(mail_table(mail), run=run)
    repository.check("meet", MEETING)

    assert repository.run("--deadline", "45s").code == 1

    pids = {path.read_text() for path in repository.folder.glob("*-?")}
    assert "10 checks: 10 failed" in the_mail(mail)
    assert len(pids) == 20
    assert most_at_once(next(repository.state.glob("runs/*/confirm.jsonl"))) == 10


def most_at_once(journal: Path) -> int:
    """Return how many checks were under way at once."""
    events: list[dict[str, Any]] = [json.loads(line) for line in journal.read_text().splitlines()]
    steps = {"started": 1, "finished": -1}
    running, most = 0, 0
    for event in events:
        running += steps.get(event["event"], 0)
        most = max(most, running)
    return most


def test_a_daily_check_that_it_cuts_off_is_judged_by_the_next_run(repository: Repository) -> None:
    repository.configure(run="slots = 2")
    repository.check(
        "dump",
        """
        import pathlib, pytest, time

        @pytest.mark.every("1d")
        def test_dump():
            if not pathlib.Path("quick").exists():
                time.sleep(20)
        """,
    )
    repository.write("quick", "")
    codes = [repository.run().code]
    with closing(sqlite3.connect(repository.state / "state.sqlite3")) as state, state:
        state.execute("update judged set at = at - 172800")
    (repository.folder / "quick").unlink()
    cut_off = repository.run("--deadline", "3s")
    repository.write("quick", "")
    codes += [cut_off.code, repository.run().code]

    assert "still running after" in cut_off.stdout
    assert codes == [0, 75, 0]
    assert "nothing is failing" in repository.call("status").stdout

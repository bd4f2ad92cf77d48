"""A suite that eats most of its interval is told, once, with what takes the longest."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from receivers import MailServer
from repository import Repository, mail_table, subjects, the_mail
from stored import record
from suites import BACKUP, NIGHT, QUEUE, minutes, passed, run

from yakei.pace import Pace, SlowCheck, describe_pace, slow_suite
from yakei.store import Store
from yakei.store.pace import read_pace

RESULTS = [
    passed("m.py::test_a", duration=12.0),
    passed("m.py::test_deep[x]", duration=40.0),
    passed("m.py::test_quick", duration=0.1),
    passed("m.py::test_b", duration=31.0),
]
INTERVAL = minutes(5)


@pytest.mark.parametrize(
    ("took", "known", "told"),
    [
        pytest.param(minutes(2.4), False, False, id="less than half"),
        pytest.param(minutes(2.5), False, False, id="half"),
        pytest.param(minutes(2.6), False, True, id="more than half"),
        pytest.param(minutes(2.4), True, True, id="not clearly quicker again"),
        pytest.param(minutes(1.9), True, False, id="clearly quicker again"),
        pytest.param(minutes(6), False, True, id="more than all of it"),
    ],
)
def test_a_slow_suite(took: timedelta, known: bool, told: bool) -> None:
    assert bool(slow_suite(RESULTS, took, INTERVAL, known=known)) is told


def test_it_is_told_with_the_three_slowest() -> None:
    (problem,) = slow_suite(RESULTS, timedelta(seconds=160), INTERVAL, known=False)

    assert problem.text.splitlines()[0] == (
        "took 2 min 40 s of 5 min (53 %); slowest: deep of x 40 s, b 31 s, a 12 s"
    )
    assert "Do        yakei status names the slowest" in problem.text


def test_the_lines_of_status() -> None:
    slow = SlowCheck(id="m.py::test_deep[x]", seconds=40.0, usual=38.0)
    pace = Pace(took=minutes(3), slowest=(slow, SlowCheck(id="m.py::test_new", seconds=2.0)))

    assert describe_pace(pace, INTERVAL) == (
        "it took 3 min of 5 min (60 %); slowest:",
        "      40 s  m.py::test_deep[x], usually 38 s",
        "       2 s  m.py::test_new",
    )


def test_what_is_usual_is_the_median_of_the_runs_before(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        for number, seconds in enumerate([1.0, 90.0, 2.0, 3.0, 40.0]):
            results = (passed(QUEUE, duration=seconds), passed(BACKUP, duration=0.5))
            record(store, run(*results), at=NIGHT + minutes(5 * number))
    pace = read_pace(tmp_path)

    assert pace is not None
    assert pace.slowest[0] == SlowCheck(id=QUEUE, seconds=40.0, usual=3.0)
    assert pace.slowest[1] == SlowCheck(id=BACKUP, seconds=0.5, usual=0.5)


def test_a_partial_run_says_nothing_about_the_pace(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        record(store, run(passed(QUEUE, duration=3.0)))
        record(store, run(passed(QUEUE, duration=9.0), partial=True), at=NIGHT + minutes(5))
    pace = read_pace(tmp_path)

    assert pace is not None
    assert pace.slowest == (SlowCheck(id=QUEUE, seconds=3.0),)


@pytest.mark.parametrize(
    "content", [None, b"", b"rubbish" * 1000], ids=["none", "empty", "rubbish"]
)
def test_a_state_that_cannot_be_read_has_no_pace(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "state.sqlite3").write_bytes(content)

    assert read_pace(tmp_path) is None


SLEEPING = """
    import pathlib, pytest, time

    @pytest.mark.parametrize("name,seconds", [("a", 0.1), ("b", 2.0), ("c", 0.5), ("d", 0.3)])
    def test_it(name, seconds):
        if not pathlib.Path("quick").exists():
            time.sleep(seconds)
"""


@pytest.mark.slow
def test_a_run_that_takes_longer_than_its_interval_is_told_once(
    repository: Repository, mail: MailServer
) -> None:
    """O-08; each run here is within two intervals of the one before, so that none is missed."""
    repository.configure(mail_table(mail), run='interval = "2s"', alerts='reminder_interval = "1s"')
    repository.check("slow", SLEEPING)

    codes = [repository.run().code for _ in range(3)]

    said = subjects(mail)
    assert codes == [0, 0, 0]
    assert sum("took" in each for each in said) == 1
    assert said[0].startswith("[WARN] app01 monitor: took ")
    assert "of 2 s" in said[0]
    assert "slowest: it of b-2.0 2 s, it of c-0.5 0.5 s, it of d-0.3 0.3 s" in mail.mails[0].text


@pytest.mark.slow
def test_it_is_told_again_when_it_was_quick_in_between(
    repository: Repository, mail: MailServer
) -> None:
    def configure(interval: str) -> None:
        repository.configure(mail_table(mail), run=f'interval = "{interval}"')

    repository.check("slow", SLEEPING)
    for interval in ("4s", "5m", "4s", "4s"):
        configure(interval)
        assert repository.run().code == 0

    assert sum("took" in each for each in subjects(mail)) == 2


@pytest.mark.slow
def test_a_slow_run_fails_as_it_would_have_if_it_were_quick(
    repository: Repository, mail: MailServer
) -> None:
    repository.configure(mail_table(mail), run='interval = "3s"')
    repository.check("slow", SLEEPING + "        assert name != 'd', 'd is gone'")

    assert repository.run().code == 1
    assert "d is gone" in the_mail(mail)
    assert "took" in the_mail(mail)


@pytest.mark.slow
@pytest.mark.parametrize("options", [("-k", "test_it"), ("--all",)])
def test_a_run_by_hand_says_nothing_about_the_pace(
    repository: Repository, mail: MailServer, options: tuple[str, ...]
) -> None:
    repository.configure(mail_table(mail), run='interval = "3s"')
    repository.check("slow", SLEEPING)

    assert repository.run(*options).silent
    assert mail.mails == []

"""`yakei silence` and `unsilence`: who, why and until when, or nothing."""

from __future__ import annotations

import re

import pytest
from operators import Operator, a_bad_night
from receivers import MailServer
from repository import FAILING, Repository
from stored import rows
from suites import QUEUE

BACKUPS = "monitors/test_backups.py*"
MADE = ("silence", BACKUPS, "--for", "2h", "--reason", "moving srv01")


@pytest.fixture
def night(repository: Repository) -> Repository:
    a_bad_night(repository)
    return repository


def kept(repository: Repository) -> list[tuple[str, str, str]]:
    """Return pattern, reason and speaker of every silence in the state."""
    query = 'select pattern, reason, "by" from silences order by id'
    return [tuple(row) for row in rows(repository.state, query)]


def test_it_says_its_id_its_end_and_what_it_matches(night: Repository, operator: Operator) -> None:
    ran = operator(*MADE, "--by", "ops")

    assert (ran.code, ran.stderr) == (0, "")
    assert re.fullmatch(
        r"silence 1: monitors/test_backups\.py\* until .* \+0000 \(2 h\), by ops: moving srv01\n"
        r"matches 1 check, 1 of them failing now; `yakei unsilence 1` ends it\n",
        ran.stdout,
    )
    assert kept(night) == [(BACKUPS, "moving srv01", "ops")]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param((BACKUPS, "--reason", "x"), "an end is missing", id="no end"),
        pytest.param((BACKUPS, "--for", "2h"), "a reason is missing", id="no reason"),
        pytest.param(
            (BACKUPS, "--for", "2h", "--reason", " \n"), "a reason is missing", id="an empty reason"
        ),
        pytest.param(("", "--for", "2h", "--reason", "x"), "a pattern is missing", id="no pattern"),
        pytest.param(
            (BACKUPS, "--for", "tomorrow", "--reason", "x"), "--for: expected a dur", id="no time"
        ),
        pytest.param(
            (BACKUPS, "--for", "0s", "--reason", "x"), "--for: expected a time longer", id="nothing"
        ),
        pytest.param(
            (BACKUPS, "--for", "91d", "--reason", "x"), "--for: expected at most 90d", id="too long"
        ),
    ],
)
def test_without_an_end_and_a_reason_it_is_refused_in_one_line(
    night: Repository, operator: Operator, arguments: tuple[str, ...], told: str
) -> None:
    ran = operator("silence", *arguments)

    assert (ran.code, ran.stdout, kept(night)) == (2, "", [])
    assert told in ran.stderr
    assert ran.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("pattern", "advice"),
    [
        ("monitors/test_backups.py", "did you mean 'monitors/test_backups.py*'?"),
        ("analyze_page", "did you mean '*analyze_page*'?"),
        (QUEUE.replace("depth", "dpth"), f"did you mean '{QUEUE}'?"),
    ],
)
def test_a_pattern_that_matches_nothing_known_is_refused_with_the_nearest(
    night: Repository, operator: Operator, pattern: str, advice: str
) -> None:
    ran = operator("silence", pattern, "--for", "2h", "--reason", "x")

    assert (ran.code, ran.stdout, kept(night)) == (2, "", [])
    assert f"silence: no check matches {pattern}; {advice} (--anyway" in ran.stderr


def test_it_can_be_made_for_what_is_not_there_yet(night: Repository, operator: Operator) -> None:
    ran = operator("silence", "m.py*", "--for", "2h", "--reason", "x", "--anyway")

    assert "matches 0 checks;" in ran.stdout
    assert len(kept(night)) == 1


def test_the_brackets_of_an_id_are_no_pattern(night: Repository, operator: Operator) -> None:
    assert "matches 1 check" in operator("silence", QUEUE, "--for", "1h", "--reason", "x").stdout


def test_before_the_first_run_there_is_nothing_to_silence(
    repository: Repository, operator: Operator
) -> None:
    plain, anyway = operator(*MADE), operator(*MADE, "--anyway")

    assert (plain.code, anyway.code) == (2, 2)
    assert "no check is known before the first run" in plain.stderr
    assert "it cannot be opened" in anyway.stderr
    assert not repository.state.exists()


@pytest.mark.parametrize(
    ("names", "by"),
    [
        ({"SUDO_USER": "typester", "USER": "root"}, "typester"),
        ({"SUDO_USER": "", "LOGNAME": "", "USER": "fujiwara"}, "fujiwara"),
    ],
)
def test_who_made_it_is_the_person_behind_sudo(
    night: Repository,
    operator: Operator,
    monkeypatch: pytest.MonkeyPatch,
    names: dict[str, str],
    by: str,
) -> None:
    def no_terminal() -> str:
        raise OSError

    monkeypatch.setattr("os.getlogin", no_terminal)  # a test may have a terminal or none
    operator(*MADE, **names)

    assert kept(night)[0][2] == by


def test_unsilence_ends_it_and_says_what_it_was(night: Repository, operator: Operator) -> None:
    operator(*MADE)
    ended, again = operator("unsilence", "1", "--by", "typester"), operator("unsilence", "1")

    assert ended.stdout.startswith(f"ended 1  {BACKUPS} until ")
    assert (again.code, again.stdout) == (2, "")
    assert rows(night.state, "select ended_by from silences") == [("typester",)]


def test_an_unknown_silence_is_answered_with_those_in_force(
    night: Repository, operator: Operator
) -> None:
    operator(*MADE)
    ran = operator("unsilence", "7")

    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr == f"yakei: unsilence: no silence 7; in force: 1 ({BACKUPS})\n"


@pytest.mark.slow
def test_they_work_while_a_run_is_under_way_and_the_run_loses_nothing(
    told: Repository, mail: MailServer
) -> None:
    told.check("crawler", FAILING)
    told.run()
    told.write_waiting()
    with told.busy() as process:
        silenced = told.call("silence", "*crawler*", "--for", "2h", "--reason", "moving")
        acknowledged = told.call("ack", "*crawler*", "--reason", "on it")
        told.let_go()
        process.wait(timeout=30)

    assert (silenced.code, acknowledged.code) == (0, 0)
    assert len(kept(told)) == 1
    assert rows(told.state, "select count(*) from acknowledgements") == [(1,)]
    assert "acknowledged by" in told.call("status").stdout


def test_only_what_it_matches_is_said_to_be_silenced(night: Repository, operator: Operator) -> None:
    operator("silence", QUEUE, "--for", "2h", "--reason", "x")
    backup, queue = operator("status").stdout.split("[CRIT] queue")

    assert ("silenced until" in backup, "silenced until" in queue) == (False, True)

"""What people are told of one thing from its first failure to its recovery."""

from __future__ import annotations

import pytest
from receivers import MailServer
from repository import FAILING, PASSING, Repository, mail_table, subjects

pytestmark = pytest.mark.slow  # each starts whole runs


def test_recovery_is_silent_by_default_and_a_new_failure_is_told_at_once(
    repository: Repository, mail: MailServer
) -> None:
    repository.configure(mail_table(mail))
    for value in ("1396", "212", "1402"):
        repository.check("crawler", FAILING.replace("1396", value))
        repository.run()

    assert len(mail.mails) == 2
    assert "1402 rows" in subjects(mail)[1]
    assert "Last failed 20" in mail.mails[1].text


def test_a_value_that_moves_is_no_new_failure(repository: Repository, mail: MailServer) -> None:
    repository.configure(mail_table(mail))
    for value in ("1396", "1402", "1391"):
        repository.check("crawler", FAILING.replace("1396", value))
        repository.run()

    assert len(mail.mails) == 1


def test_a_second_failure_is_told_at_once_beside_the_first(
    repository: Repository, mail: MailServer
) -> None:
    repository.configure(mail_table(mail))
    repository.check("crawler", FAILING)
    repository.run()
    repository.check("web", "def test_web():\n    assert not 'the door is open'")
    repository.run()
    repository.check("crawler", FAILING.replace("1396", "212"))

    repository.run()

    assert len(mail.mails) == 2
    assert "2 failing, 1 new - web:" in subjects(mail)[1]
    assert "NEW     web:" in mail.mails[1].text


def test_a_known_issue_is_quiet_while_it_fails_and_told_when_it_passes(
    repository: Repository, mail: MailServer
) -> None:
    repository.configure(mail_table(mail))
    known = 'import pytest\n\n@pytest.mark.known_issue("SHOP-7")\ndef test_old():\n    assert '
    repository.check("old", known + "False")
    failing = repository.run()
    quiet = list(mail.mails)
    repository.check("old", known + "True")

    passing = [repository.run() for _ in range(2)]

    assert (failing.code, quiet) == (0, [])
    assert [each.code for each in passing] == [0, 0]
    assert ["SHOP-7" in each for each in subjects(mail)] == [True]


def test_a_known_issue_whose_date_has_come_is_told(
    repository: Repository, mail: MailServer
) -> None:
    repository.configure(mail_table(mail))
    repository.check(
        "old",
        """
        import pytest

        @pytest.mark.known_issue("SHOP-7", until="2026-01-31")
        def test_old():
            assert False
    """,
    )

    ran = repository.run()

    assert ran.code == 1
    assert "SHOP-7 ended 2026-01-31" in mail.mails[0].text


def test_a_warning_waits_in_quiet_hours_and_a_critical_does_not(
    repository: Repository, mail: MailServer
) -> None:
    all_day = 'quiet_hours = "00:00-23:59"'
    repository.configure(mail_table(mail), alerts=all_day)
    repository.check(
        "disk",
        """
        import pytest

        @pytest.mark.severity("warning")
        def test_disk():
            assert not "80 % full"
    """,
    )
    quiet = repository.run(), list(mail.mails)
    repository.check("crawler", FAILING)
    repository.run()
    repository.configure(mail_table(mail))

    repository.run()

    assert (quiet[0].code, quiet[0].stdout, quiet[1]) == (1, "", [])
    assert [each.split()[0] for each in subjects(mail)] == ["[CRIT]", "[WARN]"]


def test_a_threshold_keeps_the_first_failures_quiet(
    repository: Repository, mail: MailServer
) -> None:
    repository.configure(mail_table(mail), alerts="failure_threshold = 3")
    repository.check("crawler", FAILING)

    told = [(repository.run().code, len(mail.mails)) for _ in range(4)]

    assert told == [(1, 0), (1, 0), (1, 1), (1, 1)]


def test_a_resource_that_is_down_is_one_message(
    repository: Repository, mail: MailServer, closed_port: int
) -> None:
    url = f"postgresql://app:S3cr3tWord@127.0.0.1:{closed_port}/queue"
    repository.configure(f'{mail_table(mail)}\n[databases]\nmain = "{url}"')
    repository.check(
        "four",
        """
        import pytest

        @pytest.mark.parametrize("number", range(4))
        def test_four(database, number):
            database("main").scalar("select 1")
    """,
    )
    repository.check("index", PASSING)

    ran = repository.run()

    (received,) = mail.mails
    assert (ran.code, ran.stdout) == (1, "")
    assert "database main" in received.message["Subject"]
    assert f"127.0.0.1:{closed_port}; 4 checks not judged" in received.text.splitlines()[0]
    assert "S3cr3tWord" not in received.text

"""Nobody hears a word while all is well, and whoever looks on sees what was judged."""

from __future__ import annotations

import pytest
from receivers import MailServer, WebServer
from repository import (
    FAILING,
    PASSING,
    Repository,
    mail_table,
    slack_table,
    subjects,
)

NOISY = """
    import logging, sys, warnings

    def test_noise():
        print("a word")
        print("another", file=sys.stderr)
        logging.getLogger("app").warning("a third")
        warnings.warn("old", DeprecationWarning)
"""


def test_a_suite_that_passes_is_silent(
    repository: Repository, mail: MailServer, slack: WebServer
) -> None:
    repository.configure(mail_table(mail) + slack_table(slack))
    repository.check("index", PASSING)

    ran = repository.run()

    assert (ran.code, ran.stdout, ran.stderr) == (0, "", "")
    assert (mail.mails, slack.requests) == ([], [])


@pytest.mark.parametrize(
    "check",
    [
        pytest.param(NOISY, id="prints, logs and deprecations"),
        pytest.param(
            "import pytest\n\n@pytest.mark.xfail\ndef test_it():\n    assert False",
            id="an expected failure",
        ),
        pytest.param(
            "import atexit\natexit.register(print, 'late')\ndef test_it(): pass", id="atexit"
        ),
        pytest.param("import os\ndef test_it():\n    os.write(1, b'raw')", id="raw writes"),
    ],
)
def test_what_a_passing_check_says_is_heard_by_nobody(repository: Repository, check: str) -> None:
    repository.check("noise", check)

    ran = repository.run()

    assert (ran.code, ran.stdout, ran.stderr) == (0, "", "")


def test_a_skip_that_is_allowed_is_silent(repository: Repository) -> None:
    repository.configure(run='allow_skips = ["monitors/test_tape.py::*"]')
    repository.check("index", PASSING)
    repository.check("tape", "import pytest\n\ndef test_tape():\n    pytest.skip('no tape here')")

    ran = repository.run()

    assert (ran.code, ran.stdout, ran.stderr) == (0, "", "")


def test_a_skip_that_nobody_allowed_is_told_once_as_a_warning(
    repository: Repository, mail: MailServer
) -> None:
    repository.configure(mail_table(mail))
    repository.check("index", PASSING)
    repository.check("tape", "import pytest\n\ndef test_tape():\n    pytest.skip('no tape here')")

    ran = [repository.run() for _ in range(2)]

    assert [each.code for each in ran] == [1, 1]
    assert subjects(mail) == ["[WARN] app01 tape: not judged: no tape here"]


@pytest.mark.slow
def test_a_blip_is_silent(repository: Repository, mail: MailServer) -> None:
    """A check that fails once and passes when it is run again is only recorded."""
    repository.configure(mail_table(mail), run='confirm_after = "1s"\nlog = "run.log"')
    repository.check(
        "flaky",
        """
        import pathlib

        def test_flaky():
            seen = pathlib.Path(__file__).with_name("seen")
            before = seen.exists()
            seen.touch()
            assert before
    """,
    )

    ran = repository.run()

    assert (ran.code, ran.stdout, mail.mails) == (0, "", [])
    assert "blip: failed once, passed when run again" in (repository.folder / "run.log").read_text()


def test_failure_silence_reminder_recovery(repository: Repository, mail: MailServer) -> None:
    """The whole life of an incident, as people see it."""
    repository.configure(mail_table(mail))
    repository.check("crawler", FAILING)
    codes = [repository.run().code for _ in range(2)]
    repository.configure(mail_table(mail), alerts='reminder_interval = "0s"\nrecovery = true')
    codes.append(repository.run().code)
    repository.check("crawler", FAILING.replace("1396", "212"))
    codes += [repository.run().code for _ in range(2)]

    told = subjects(mail)

    assert codes == [1, 1, 1, 0, 0]
    assert len(told) == 3
    assert "failing for" in mail.mails[1].text.lower()
    assert told[2].startswith("[OK] app01 crawler keeps up")


@pytest.mark.parametrize("option", ["-p", "--print-always"])
def test_print_always_prints_and_tells_nobody(
    repository: Repository, mail: MailServer, option: str
) -> None:
    repository.configure(mail_table(mail))
    repository.check("index", PASSING)

    ran = repository.run(option)

    assert (ran.code, mail.mails) == (0, [])
    assert "passed      monitors/test_index.py::test_index_is_fresh" in ran.stdout
    assert "1 check, all passed in" in ran.stdout


def test_a_failure_that_a_channel_took_leaves_stdout_empty(
    repository: Repository, mail: MailServer
) -> None:
    repository.configure(mail_table(mail))
    repository.check("crawler", FAILING)

    ran = repository.run()

    assert (ran.code, ran.stdout, ran.stderr) == (1, "", "")
    assert len(mail.mails) == 1


def test_without_a_channel_the_message_is_for_cron_to_mail(repository: Repository) -> None:
    repository.check("crawler", FAILING)

    ran = repository.run()

    assert (ran.code, ran.stderr) == (75, "")
    assert ran.stdout.startswith("[CRIT] app01 crawler keeps up: waiting: 1396 rows")


def test_a_run_without_notifications_says_it_on_stdout_only(
    repository: Repository, mail: MailServer
) -> None:
    repository.configure(mail_table(mail))
    repository.check("crawler", FAILING)

    ran = repository.run("--no-notify")

    assert (ran.code, mail.mails) == (1, [])
    assert "1396 rows" in ran.stdout


def test_a_look_by_hand_takes_no_message_from_those_it_is_for(
    repository: Repository, mail: MailServer
) -> None:
    repository.configure(mail_table(mail))
    repository.check("crawler", FAILING)
    by_hand = [repository.run("--no-notify") for _ in range(2)]

    by_cron = [repository.run() for _ in range(2)]

    assert ["1396 rows" in each.stdout for each in by_hand] == [True, True]
    assert [each.code for each in by_cron] == [1, 1]
    assert len(mail.mails) == 1

"""Through `yakei run`, what a second look of the failing checks finds, and what hinders it."""

from __future__ import annotations

import pytest
from receivers import MailServer
from repository import Repository, mail_table, the_mail

pytestmark = pytest.mark.slow

FLAKY = """
    import pathlib

    def test_flaky():
        seen = pathlib.Path(__file__).with_name("seen")
        before = seen.exists()
        seen.touch()
        assert before
"""


@pytest.fixture
def confirming(repository: Repository, mail: MailServer) -> Repository:
    """Give a repository whose failing checks are run once more."""
    repository.configure(mail_table(mail), run='confirm_after = "0.1s"')
    repository.check("flaky", FLAKY)
    return repository


def test_a_check_that_has_another_name_by_then_hinders_no_other(
    confirming: Repository, mail: MailServer
) -> None:
    """Such as one for each file that there is; its first result stands."""
    confirming.check(
        "dumps",
        """
        import time, pytest

        @pytest.mark.parametrize("dump", [str(time.time_ns())])
        def test_dump(dump): assert False, "it is empty"
    """,
    )

    ran = confirming.run()

    assert ran.code == 1
    assert "it is empty" in the_mail(mail)
    assert "2 checks: 1 failed, 1 passed" in the_mail(mail)


def test_a_folder_with_a_bracket_in_its_name_hinders_none(
    confirming: Repository, mail: MailServer
) -> None:
    """What follows it, pytest takes for parameters."""
    confirming.write("monitors/[old]/test_old.py", FLAKY.replace("flaky", "old"))

    ran = confirming.run()

    assert (ran.code, mail.mails) == (0, [])


def test_a_file_that_is_gone_by_then_hinders_no_other(
    confirming: Repository, mail: MailServer
) -> None:
    confirming.check(
        "gone",
        """
        import pathlib

        def test_gone():
            pathlib.Path(__file__).unlink()
            assert False, "it is gone"
    """,
    )

    ran = confirming.run()

    assert ran.code == 1
    assert "2 checks: 1 failed, 1 passed" in the_mail(mail)


def test_a_second_look_that_cannot_begin_takes_nothing_from_the_first(
    confirming: Repository, mail: MailServer
) -> None:
    """Such as on a disk that is full by then."""
    confirming.check(
        "full",
        """
        import pathlib

        def test_full():
            next(pathlib.Path(".yakei/runs").iterdir()).joinpath("confirm.json").mkdir()
            assert False, "the disk is full"
    """,
    )

    ran = confirming.run()

    assert ran.code == 3
    assert "the disk is full" in the_mail(mail)
    assert "what did not pass could not be run once more: [Errno 21]" in the_mail(mail)


@pytest.mark.parametrize("slots", [1, 4])
def test_only_what_did_not_pass_is_looked_at_again(
    confirming: Repository, mail: MailServer, slots: int
) -> None:
    run = f'slots = {slots}\nconfirm_after = "0.1s"'
    confirming.configure(mail_table(mail), run=run)
    confirming.check("well", "def test_well(): open('times', 'a').write('once ')")

    ran = confirming.run()

    assert (ran.code, mail.mails) == (0, [])
    assert (confirming.folder / "times").read_text() == "once "

"""A run that cannot judge its suite says so: it never looks like a run that found all well."""

from __future__ import annotations

import pytest
from receivers import MailServer
from repository import FAILING, PASSING, Repository, mail_table, subjects, the_mail

pytestmark = pytest.mark.slow  # each starts whole runs


def test_a_file_that_does_not_import_is_told_beside_a_failing_check(
    told: Repository, mail: MailServer
) -> None:
    told.check("index", PASSING)
    told.check("crawler", FAILING)
    told.check("broken", "import no_such_module")

    ran = told.run()

    text = the_mail(mail)
    assert (ran.code, ran.stdout) == (3, "")
    assert "monitors/test_broken.py is not checked: ModuleNotFoundError" in text
    assert "crawler keeps up: waiting: 1396 rows" in text
    assert "2 checks: 1 failed, 1 passed" in text


@pytest.mark.parametrize(
    ("file", "content", "named"),
    [
        pytest.param("monitors/conftest.py", "def (", "conftest.py", id="conftest syntax"),
        pytest.param(
            "monitors/conftest.py", "import nothing_there", "nothing_there", id="conftest import"
        ),
        pytest.param("conftest.py", "1 / 0", "ZeroDivisionError", id="the application's conftest"),
        pytest.param(
            "monitors/test_index.py", "def test_it(:", "test_index.py", id="syntax of a file"
        ),
        pytest.param(
            "monitors/test_index.py", "import os; os._exit(0)", "exited with 0", id="exit on import"
        ),
        pytest.param(
            "monitors/test_index.py", "raise SystemExit(0)", "SystemExit", id="SystemExit on import"
        ),
        pytest.param(
            "monitors/test_index.py",
            "def helper(): pass",
            "found no check",
            id="no check in the file",
        ),
        pytest.param(
            "monitors/conftest.py",
            "import pytest\ndef pytest_collection_modifyitems(items): items.clear()",
            "found no check",
            id="a hook that takes all checks off",
        ),
    ],
)
def test_a_suite_that_cannot_be_judged_is_a_broken_run(
    told: Repository, mail: MailServer, file: str, content: str, named: str
) -> None:
    told.check("index", PASSING)
    told.write(file, content)

    ran = told.run()

    text = the_mail(mail)
    assert (ran.code, ran.stdout, ran.stderr) == (3, "", "")
    assert "NOT RUNNING - 0 checks executed" in text.splitlines()[0]
    assert named in "\n".join(text.splitlines()[:15])


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["monitors/test_no_such.py"], id="a wrong path"),
        pytest.param(["-k", "matches_nothing"], id="a -k that matches nothing"),
        pytest.param(["-m", "matches_nothing"], id="a -m that matches nothing"),
        pytest.param(["-k", "not (valid"], id="a -k that does not parse"),
        pytest.param(["monitors/test_index.py::test_gone"], id="a check that is not there"),
    ],
)
def test_arguments_that_find_nothing_are_told(
    told: Repository, mail: MailServer, arguments: list[str]
) -> None:
    told.check("index", PASSING)

    ran = told.run(*arguments)

    assert ran.code in {2, 3}
    assert "NOT RUNNING - 0 checks executed" in subjects(mail)[0]


def test_a_hook_that_raises_is_an_error_of_each_check(told: Repository, mail: MailServer) -> None:
    told.check("index", PASSING)
    told.write("monitors/conftest.py", "def pytest_runtest_protocol(item): 1 / 0")

    ran = told.run()

    assert (ran.code, ran.stdout, ran.stderr) == (3, "", "")  # of the canary, too
    assert "monitors/test_index.py" in the_mail(mail)
    assert "pytest itself failed in setup: ZeroDivisionError" in the_mail(mail)


@pytest.mark.parametrize("folder", ["empty", "missing"])
def test_an_empty_or_missing_folder_is_told(
    told: Repository, mail: MailServer, folder: str
) -> None:
    if folder == "missing":
        told.monitors.rmdir()

    ran = told.run()

    assert ran.code in {2, 3}
    assert "NOT RUNNING - 0 checks executed" in subjects(mail)[0]


def test_a_suite_in_which_everything_skips_is_told(told: Repository, mail: MailServer) -> None:
    told.check("index", "import pytest\n\ndef test_it():\n    pytest.skip('no index')")

    ran = told.run()

    assert ran.code == 3
    assert "no index" in the_mail(mail)


def test_a_list_that_is_configured_empty_is_told(told: Repository, mail: MailServer) -> None:
    told.configure(mail_table(mail) + "[queues]\n")
    told.check("index", PASSING)

    ran = told.run()

    assert ran.code == 2
    assert "0 queues configured" in the_mail(mail)


def test_a_check_over_an_empty_list_is_told(told: Repository, mail: MailServer) -> None:
    """That one is skipped by pytest itself, when it has no parameters."""
    told.check("index", PASSING)
    told.check(
        "all",
        "import pytest\n\n@pytest.mark.parametrize('database', [])\ndef test_it(database): pass",
    )

    ran = told.run()

    assert ran.code == 1
    assert "empty parameter set" in the_mail(mail)


def test_a_check_that_vanished_is_told_and_missed_until_it_is_back(
    told: Repository, mail: MailServer
) -> None:
    told.check("index", PASSING)
    gone = told.check("crawler", PASSING)
    codes = [told.run().code]
    gone.unlink()
    codes += [told.run().code, told.run().code]
    told.check("crawler", PASSING)

    codes.append(told.run().code)

    assert codes == [0, 3, 3, 0]
    assert "1 check vanished from the suite" in the_mail(mail)


def test_two_files_of_one_name_are_no_silent_override(told: Repository, mail: MailServer) -> None:
    told.write("monitors/near/test_index.py", PASSING)
    told.write("monitors/far/test_index.py", PASSING)

    ran = told.run()

    assert ran.code == 3
    assert "import file mismatch" in the_mail(mail)

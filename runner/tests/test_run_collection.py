"""A file that hangs or kills pytest when it is imported is named, and the others are judged."""

from __future__ import annotations

import pytest
from receivers import MailServer
from repository import PASSING, Repository, mail_table, subjects, the_mail

pytestmark = pytest.mark.slow  # each starts whole runs

FATAL = [
    pytest.param("import os; os._exit(3)", "pytest exited with 3 while importing it", id="exit"),
    pytest.param("import os; os._exit(0)", "pytest exited with 0 while importing it", id="exit 0"),
    pytest.param(
        "import ctypes; ctypes.string_at(0)",
        "pytest died by SIGSEGV while importing it",
        id="segfault",
    ),
    pytest.param("raise SystemExit(0)", "while importing it: SystemExit: 0", id="SystemExit"),
    pytest.param("import time; time.sleep(97)", "importing it had not ended after", id="hang"),
    pytest.param(
        "import collections, itertools; collections.deque(itertools.repeat(0), maxlen=0)",
        "importing it had not ended after",
        id="hang in C",
    ),
]
SLOTS = pytest.mark.parametrize("slots", [1, 4], ids=["pytest's own loop", "slots"])


@pytest.fixture
def watched(told: Repository, mail: MailServer) -> Repository:
    """A repository with a file that is well, before and after the others."""
    told.check("a_index", PASSING)
    told.check("z_index", PASSING)
    return told


@SLOTS
@pytest.mark.parametrize(("text", "manner"), FATAL)
def test_a_file_that_cannot_be_imported_is_named_and_the_others_judged(
    watched: Repository, mail: MailServer, text: str, manner: str, slots: int
) -> None:
    watched.configure(mail_table(mail), run=f"slots = {slots}")
    watched.check("fatal", text)

    ran = watched.run("--deadline", "12s")

    said = the_mail(mail)
    assert (ran.code, ran.stdout, ran.stderr) == (3, "", "")
    assert "monitors/test_fatal.py is not checked:" in said
    assert manner in said
    assert "2 checks, all passed" in said
    assert ran.seconds < 14


@SLOTS
def test_a_folder_whose_conftest_kills_pytest_is_named_and_the_others_judged(
    watched: Repository, mail: MailServer, slots: int
) -> None:
    watched.configure(mail_table(mail), run=f"slots = {slots}")
    watched.write("monitors/deep/conftest.py", "import os; os._exit(3)")
    watched.write("monitors/deep/test_deep.py", PASSING)

    ran = watched.run()

    assert ran.code == 3
    assert "monitors/deep is not checked: pytest exited with 3" in the_mail(mail)
    assert "2 checks, all passed" in the_mail(mail)


def test_two_fatal_files_are_both_named(watched: Repository, mail: MailServer) -> None:
    watched.check("fatal", "import os; os._exit(3)")
    watched.check("worse", "import os; os.abort()")

    watched.run()

    said = the_mail(mail)
    assert "monitors/test_fatal.py is not checked: pytest exited with 3" in said
    assert "monitors/test_worse.py is not checked: pytest died by SIGABRT" in said


@pytest.mark.parametrize(
    ("text", "told_of"),
    [
        pytest.param("import time; time.sleep(96)", "conftest.py:1", id="hang"),
        pytest.param("import ctypes; ctypes.string_at(0)", "conftest.py:1", id="segfault"),
        pytest.param("import os; os._exit(3)", "is it a conftest.py?", id="exit"),
    ],
)
def test_a_conftest_above_the_checks_is_told_in_time(
    watched: Repository, mail: MailServer, text: str, told_of: str
) -> None:
    watched.write("monitors/conftest.py", text)

    ran = watched.run("--deadline", "4s")

    assert ran.code in {3, 124}
    assert ran.seconds < 7
    assert "NOT RUNNING - 0 checks executed" in subjects(mail)[0]
    assert told_of in the_mail(mail)


def test_a_fatal_file_is_told_as_over_when_it_is_mended(
    watched: Repository, mail: MailServer
) -> None:
    watched.check("fatal", "import os; os._exit(3)")
    first = watched.run()
    watched.check("fatal", PASSING)

    second = watched.run()

    assert (first.code, second.code) == (3, 0)

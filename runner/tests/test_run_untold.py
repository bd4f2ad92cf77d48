"""What looks like a pass and is none is told: hooks that fail a run, twins, what is hidden."""

from __future__ import annotations

import pytest
from receivers import MailServer
from repository import PASSING, Repository, mail_table, subjects, the_mail

pytestmark = pytest.mark.slow

FAILS_A_CHECK = """
    import pytest

    @pytest.hookimpl(tryfirst=FIRST)
    def pytest_runtest_logreport(report):
        if report.when == "call" and "index" in report.nodeid:
            report.outcome = "failed"
            report.longrepr = "an error was logged"
"""
FAILS_THE_RUN = """
    def pytest_sessionfinish(session):
        session.exitstatus = 1
"""
TWINS = """
    import pytest

    class Twin(pytest.Item):
        def runtest(self): assert self.limit > 5

    class Limits(pytest.File):
        def collect(self):
            for limit in (1, 9):
                twin = Twin.from_parent(self, name="disk")
                twin.limit = limit
                yield twin

    def pytest_collect_file(file_path, parent):
        if file_path.suffix == ".lim":
            return Limits.from_parent(parent, path=file_path)
"""
UNITTEST = """
    import unittest

    class TestQueue(unittest.TestCase):
        def test_returns(self): return 5 < 3
        def test_yields(self):
            yield
            assert False
        async def test_waits(self): assert False
        def test_passes(self): pass
"""
AGAIN = """
    from _pytest.runner import runtestprotocol

    def pytest_runtest_protocol(item, nextitem):
        if "flaky" not in item.nodeid:
            return None
        hook = item.ihook
        hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for _ in range(2):
            reports = runtestprotocol(item, nextitem=nextitem, log=False)
        for report in reports:
            hook.pytest_runtest_logreport(report=report)
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True
"""
"""As pytest-rerunfailures does: what counts is how it ended the last time."""


@pytest.fixture(params=[1, 4], ids=["without slots", "in slots"])
def suite(request: pytest.FixtureRequest, repository: Repository, mail: MailServer) -> Repository:
    """A repository that tells by mail."""
    repository.configure(mail_table(mail), run=f"slots = {request.param}")
    repository.check("index", PASSING)
    return repository


@pytest.mark.parametrize("first", ["True", "False"])
def test_a_failure_that_a_hook_makes_of_a_pass_is_the_checks(
    suite: Repository, mail: MailServer, first: str
) -> None:
    suite.write("monitors/conftest.py", FAILS_A_CHECK.replace("FIRST", first))

    assert suite.run().code == 1
    assert "an error was logged" in the_mail(mail)


def test_a_failure_of_which_no_check_tells_breaks_the_run(
    suite: Repository, mail: MailServer
) -> None:
    suite.write("monitors/conftest.py", FAILS_THE_RUN)

    assert suite.run().code == 3
    assert "pytest ended with 1, and no check tells of a failure" in the_mail(mail)


def test_checks_with_one_id_are_told(suite: Repository, mail: MailServer) -> None:
    suite.write("monitors/conftest.py", TWINS)
    suite.write("monitors/disk.lim", "")

    assert suite.run().code == 3
    assert "2 checks have the id monitors/disk.lim::disk" in the_mail(mail)


CONSTRUCTED = """
    class Testing:  # no test: it has none
        def __init__(self): self.begun = True

    class TestBackup:
        def __init__(self): self.begun = True
        def test_is_fresh(self): assert 0

    class TestDump:
        def test_is_fresh(self): assert Testing().begun
"""


def test_a_class_that_pytest_does_not_collect_is_told(suite: Repository, mail: MailServer) -> None:
    suite.check("backup", CONSTRUCTED)

    assert suite.run().code == 3
    assert "test_backup.py::TestBackup is not checked: pytest collects no class" in the_mail(mail)
    assert "2 checks, all passed" in the_mail(mail)
    assert "Testing" not in the_mail(mail)


def test_a_check_that_another_of_its_name_hides_is_told(
    suite: Repository, mail: MailServer
) -> None:
    suite.check("queue", "def test_it(): assert 0\n\ndef test_it(): pass\n")

    assert suite.run().code == 3
    assert "test_queue.py::test_it of line 1 is not checked: line 3 has another" in the_mail(mail)
    assert "2 checks, all passed" in the_mail(mail)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1"])
def test_it_is_also_in_a_file_that_is_not_plain_utf_8(
    suite: Repository, mail: MailServer, encoding: str
) -> None:
    declared = "" if encoding == "utf-8-sig" else f"# -*- coding: {encoding} -*-"
    text = f"{declared}\nNAME = 'größe'\ndef test_it(): assert 0\ndef test_it(): pass\n"
    (suite.folder / "monitors/test_queue.py").write_text(text, encoding=encoding)

    assert suite.run().code == 3
    assert "test_queue.py::test_it of line 3 is not checked" in the_mail(mail)


def test_while_one_is_hidden_another_that_vanishes_is_told(
    suite: Repository, mail: MailServer
) -> None:
    suite.check("queue", "def test_it(): assert 0\ndef test_it(): pass\n")
    suite.check("backup", PASSING)
    suite.run()
    (suite.folder / "monitors/test_backup.py").unlink()
    suite.run()

    assert ["vanished" in each for each in subjects(mail)] == [False, True]


def test_a_unittest_that_returns_what_it_should_assert_does_not_pass(
    suite: Repository, mail: MailServer
) -> None:
    suite.check("queue", UNITTEST)

    assert suite.run().code == 1
    assert "[CRIT] app01: 3 failing, 3 new" in the_mail(mail)


def test_of_a_check_that_a_plugin_runs_again_the_last_time_counts(
    suite: Repository, mail: MailServer
) -> None:
    suite.write("monitors/conftest.py", AGAIN)
    suite.check("flaky", "times = []\ndef test_flaky(): times.append(1); assert len(times) == 2")

    assert (suite.run().code, mail.mails) == (0, [])

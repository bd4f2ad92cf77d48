"""One check, or the application's own options, take no other check with them."""

from __future__ import annotations

import pytest
from receivers import MailServer
from repository import FAILING, PASSING, Repository, the_mail

pytestmark = pytest.mark.slow  # each starts whole runs


DIES = """
    import os

    def test_dies():
        os._exit(7)

    def test_later():
        pass
"""


SEGFAULTS = """
    import os, signal

    def test_dies():
        os.kill(os.getpid(), signal.SIGSEGV)
"""


EXITS = """
    import pytest

    def test_dies():
        pytest.exit("enough", returncode=0)
"""


INTERRUPTS = """
    def test_dies():
        raise KeyboardInterrupt
"""


@pytest.mark.parametrize(
    ("check", "manner"),
    [
        pytest.param(DIES, "its process exited with 7", id="os._exit"),
        pytest.param(SEGFAULTS, "its process died by SIGSEGV", id="a segmentation fault"),
        pytest.param(EXITS, "wanted to end the whole session: enough", id="pytest.exit"),
        pytest.param(INTERRUPTS, "wanted to end the whole session", id="an interrupt"),
    ],
)
def test_a_check_that_kills_its_process_is_named_and_the_rest_judged(
    told: Repository, mail: MailServer, check: str, manner: str
) -> None:
    told.check("dies", check)
    told.check("index", PASSING)

    ran = told.run()

    text = the_mail(mail)
    assert ran.code == 3
    assert manner in text
    assert "monitors/test_dies.py::test_dies" in text
    assert "1 crashed" in text
    assert "passed" in text


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_what_checks_leave_running_is_ended_and_named(
    told: Repository, mail: MailServer, kind: str
) -> None:
    told.check(
        "leaves",
        {
            "process": """
            import subprocess

            def test_leaves():
                subprocess.Popen(["sleep", "97"], start_new_session=True)
        """,
            "thread": """
            import threading, time

            def test_leaves():
                threading.Thread(target=time.sleep, args=(97,)).start()
        """,
        }[kind],
    )

    ran = told.run()

    text = the_mail(mail)
    assert ran.seconds < 15
    assert "left" in text
    assert ("sleep 97" in text) == (kind == "process")


def test_the_applications_own_options_change_nothing(told: Repository, mail: MailServer) -> None:
    """`-x` would stop, `-n` fork, `-m` leave out, `--cov` and an unknown option end pytest."""
    told.check("a_bad", FAILING)
    told.check("z_good", PASSING)
    told.write(
        "pytest.ini",
        """
        [pytest]
        addopts = -x -n auto --cov=app -m nothing --no-such-option -p no:timeout
        testpaths = elsewhere
        norecursedirs = monitors
        timeout = 1
        timeout_func_only = true
        session_timeout = 0.001
        xfail_strict = true
        console_output_style = count
        log_cli = true
    """,
    )

    ran = told.run()

    assert ran.code == 1
    assert "2 checks: 1 failed, 1 passed" in the_mail(mail)


def test_the_applications_pyproject_still_says_where_its_code_is(
    told: Repository, mail: MailServer
) -> None:
    told.check("a_bad", FAILING)
    told.check("z_good", PASSING)
    told.write("src/shop.py", "LIMIT = 1000")
    told.check("shop", "import shop\n\ndef test_limit():\n    assert shop.LIMIT == 1000")
    told.write(
        "pyproject.toml",
        """
        [tool.pytest.ini_options]
        addopts = ["-x", "--strict-markers", "--import-mode=importlib", "--pdb"]
        pythonpath = ["src"]
    """,
    )

    ran = told.run()

    assert ran.code == 1
    assert "3 checks: 1 failed, 2 passed" in the_mail(mail)


def test_a_check_that_returns_its_answer_does_not_pass(told: Repository, mail: MailServer) -> None:
    told.check("returning", "def test_it():\n    return False\n")

    ran = told.run()

    assert ran.code == 1
    assert "return" in the_mail(mail)

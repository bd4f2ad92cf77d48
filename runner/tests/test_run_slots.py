"""Through `yakei run`, whatever a check in a slot does is told, and costs no other anything."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest
from engine_runs import processes_of
from receivers import MailServer
from repository import PASSING, Ran, Repository, cron_environment, mail_table, the_mail
from servers import wilderness
from servers.processes import wait_until
from servers.sockets import silent_listener

pytestmark = pytest.mark.slow

WELL = """
    import pytest

    @pytest.mark.parametrize("number", range(10))
    def test_well(number): pass
"""
BAD = {
    "sleeps": "time.sleep(1000)",
    "loops": "sum(range(10**13))",
    "is_deaf": "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64)); time.sleep(1000)",
    "waits": "psycopg2.connect(host='127.0.0.1', port=SILENT)",
    "leaves": "os._exit(0)",
    "breaks": "ctypes.string_at(0)",
    "kills": "os.kill(os.getppid(), 9); time.sleep(1000)",
    "closes": "os.closerange(0, 1024)",
}
MESSY = """
    def test_leaves_a_child():
        subprocess.Popen(["sh", "-c", "trap '' TERM; sleep 1000"])

    def test_moves():
        os.chdir("/")

    @pytest.mark.timeout(15)  # a busy disk
    def test_floods():
        while True:
            os.write(1, bytes(1 << 20))
"""
TOLD = {
    "sleeps": "timed out after 2 s at line ",
    "loops": "timed out after 2 s at line ",
    "is_deaf": "timed out after 2 s at line ",
    "waits": "timed out after 2 s at line ",
    "leaves": "its process exited with 0",
    "breaks": "its process died by SIGSEGV at line ",
    "kills": "the keeper of its process died by SIGKILL",
    "floods": "MiB of output",
    "closes": "it closed the descriptors through which its process reports",
}


@dataclass(frozen=True)
class Day:
    """A run of the worst suite, and the mail that it sent."""

    ran: Ran
    text: str
    marker: str


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """Run the worst suite once, in eight slots."""
    repository = Repository(tmp_path_factory.mktemp("worst") / "app")
    marker = f"yakei-worst-{os.getpid()}"
    imports = "import ctypes, os, psycopg2, pytest, signal, subprocess, time"
    with MailServer() as mail, silent_listener() as port:
        bad = (f"def test_{name}():\n {text}" for name, text in BAD.items())
        checks = "\n".join([imports, *bad]).replace("SILENT", str(port))
        repository.check("bad", checks)
        repository.check("messy", f"{imports}\n{dedent(MESSY)}")
        repository.check("well", WELL)
        repository.configure(mail_table(mail), run="slots = 8\ntimeout = '2s'\ndeadline = '40s'\n")
        ran = repository.run(environment={"WORST": marker})
        yield Day(ran, the_mail(mail), marker)


def test_the_run_ends_by_itself_and_says_that_checks_fail(day: Day) -> None:
    assert (day.ran.code, day.ran.stdout, day.ran.stderr) == (3, "", "")
    assert day.ran.seconds < 20


@pytest.mark.parametrize("name", TOLD)
def test_a_check_is_told_by_its_name_with_what_it_did(day: Day, name: str) -> None:
    """As a section of its own: which check, and what happened to it where."""
    sections = [each for each in day.text.split("\n\n") if f"test_{name}" in each]

    assert any(TOLD[name] in each for each in sections)


def test_every_check_is_judged(day: Day) -> None:
    assert "21 checks: 4 timed out, 5 crashed, 12 passed" in day.text


def test_what_was_left_running_is_told_and_ended(day: Day) -> None:
    assert "test_leaves_a_child left something running, now ended" in day.text

    wait_until(lambda: not processes_of(day.marker), "the end of all that the run started")


@pytest.mark.server
def test_what_even_kill_does_not_end_holds_up_no_run(
    repository: Repository, tmp_path: Path
) -> None:
    """A check on a network file system whose server is gone waits where no signal reaches it."""
    wild = tmp_path / "wild"
    wild.mkdir()
    repository.configure(run="slots = 4\ntimeout = '1s'\n")
    repository.check("well", WELL)
    repository.check("export", f"def test_export(): open({str(wild / 'mute' / 'file')!r})")
    ended = subprocess.run(
        wilderness.inside(wild, {}, repository.command("run")),
        cwd=repository.folder,
        env=cron_environment({"PYTHONPATH": os.pathsep.join(sys.path)}),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert (ended.returncode, ended.stderr) == (75, "")
    assert "11 checks: 1 timed out, 10 passed" in ended.stdout
    assert "checks left 1 process running, which could not be ended" in ended.stdout


@pytest.mark.parametrize(
    ("file", "text", "named"),
    [
        pytest.param(
            "monitors/test_slow.py",
            "import time; time.sleep(999)",
            "monitors/test_slow.py is not checked:",
            id="an import",
        ),
        pytest.param(
            "monitors/test_slow.py",
            "sum(range(10**13))",
            "monitors/test_slow.py is not checked:",
            id="an import in C code",
        ),
        pytest.param(
            "monitors/conftest.py",
            "import time; time.sleep(999)",
            'monitors/conftest.py", line 1 in <module>',
            id="the first conftest.py",
        ),
        pytest.param(
            "monitors/conftest.py",
            "import time\ndef pytest_collection_modifyitems(): time.sleep(999)",
            'monitors/conftest.py", line 2 in pytest_collection_modifyitems',
            id="a hook",
        ),
        pytest.param(
            "monitors/test_slow.py",
            "import time\ndef pytest_generate_tests(metafunc): time.sleep(999)\ndef test_a(): pass",
            "monitors/test_slow.py is not checked:",
            id="pytest_generate_tests",
        ),
    ],
)
def test_a_collection_that_hangs_is_a_broken_run_that_names_the_file(
    repository: Repository, mail: MailServer, file: str, text: str, named: str
) -> None:
    repository.configure(mail_table(mail), run="slots = 4\ndeadline = '4s'\n")
    repository.check("index", PASSING)
    repository.write(file, text)

    ran = repository.run()

    others_are_judged = file != "monitors/conftest.py"
    assert (ran.code, ran.stdout) == (3 if others_are_judged else 124, "")
    assert ran.seconds < 4 + 2
    assert named in the_mail(mail)


@pytest.mark.parametrize("end", ["os._exit(0)", "os.abort()", "os.kill(os.getpid(), 9)"])
def test_an_import_that_ends_pytest_is_a_broken_run_that_names_the_file(
    repository: Repository, mail: MailServer, end: str
) -> None:
    repository.configure(mail_table(mail), run="slots = 4\n")
    repository.check("index", PASSING)
    repository.check("slow", f"import os; {end}")

    ran = repository.run()

    assert (ran.code, ran.stdout) == (3, "")
    assert "monitors/test_slow.py is not checked:" in the_mail(mail)

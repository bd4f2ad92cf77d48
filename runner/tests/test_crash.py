"""Kills the runner at its system calls, and counts at real receivers what people have heard.

`CRASHES=1000 pytest -m "" runner/tests/test_crash.py` goes through every call; a usual run takes
samples that lie evenly between the first and the last.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from receivers import MailServer, WebServer, slack_server
from repository import (
    FAILING,
    Repository,
    cron_environment,
    mail_table,
    slack_table,
)
from servers.requirements import program

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(120)]

SAMPLES = int(os.environ.get("CRASHES", "6"))
"""For each kind of call and each state that the killed run begins with."""
WRITING = (
    "write,writev,pwrite64,fsync,fdatasync,ftruncate,unlink,unlinkat,"
    "rename,renameat,renameat2,link,mkdir,rmdir,chmod,fchmod,utimensat"
)
"""What the main thread does to files."""
SENDING = "connect,sendto,sendmsg,recvfrom,shutdown"
"""What the channels' threads do; the main thread does none of it."""
Call = tuple[str, int]
"""A system call, and which one of a thread's it is, counted from 1."""
_NAME = re.compile(r"^(\w+)\(", re.MULTILINE)
KILLED = {128 + signal.SIGKILL, -signal.SIGKILL}
ALERT = "crawler keeps up: waiting: 1396 rows"


@dataclass(frozen=True)
class Stage:
    """A repository with a failing check, and the two receivers that its messages go to."""

    repository: Repository
    mail: MailServer
    slack: WebServer

    def configure(self) -> None:
        """Send each message both ways, and write a log."""
        channels = mail_table(self.mail) + slack_table(self.slack)
        self.repository.configure(channels, run='log = "run.log"')

    def traced(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Run `yakei run` under strace, which lets go of the programs that it starts."""
        strace = program("strace", what="strace", package="strace")
        return subprocess.run(
            [strace, "-qq", "-f", "-b", "execve", *options, *self.repository.command("run")],
            cwd=self.repository.folder,
            env=cron_environment(None),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=50,
        )

    def calls(self, names: str, folder: Path) -> list[Call]:
        """Return the calls of these names that a whole run makes, thread by thread."""
        trace = folder / "trace"
        self.traced("-ff", "-o", str(trace), "-e", f"trace={names}", "-e", "signal=none")
        threads = sorted(folder.glob("trace.*"), key=lambda file: int(file.suffix[1:]))
        made: set[Call] = set()
        # pytest, in a copy of the runner, writes more than the runner does and sends nothing.
        for file in threads[:1] if names == WRITING else threads:
            counts = Counter(_NAME.findall(file.read_text()))
            made |= {(name, n + 1) for name, count in counts.items() for n in range(count)}
        return sorted(made)

    def killed_at(self, call: Call) -> bool:
        """Kill a run when one of its threads makes a call; return whether it came as far."""
        name, number = call
        where = f"inject={name}:signal=KILL:when={number}"
        return self.traced("-o", os.devnull, "-e", where).returncode in KILLED

    def heard(self) -> tuple[list[str], list[str]]:
        """Return the texts that have come by mail, and those that Slack has taken."""
        asked = self.slack.requests
        whole = [each for each in asked if len(each.body) == int(each.headers["Content-Length"])]
        return [each.text for each in self.mail.mails], [each.json["text"] for each in whole]


Begin = Callable[[Stage], None]


def nothing(_: Stage) -> None:
    """Begin without any state."""


def known(stage: Stage) -> None:
    """Begin with a state that has an open incident, which recovers in the killed run."""
    stage.repository.check("other", FAILING.replace("keeps_up", "is_alive"))
    stage.repository.run()
    stage.repository.check("other", "def test_crawler_is_alive(): pass")
    stage.mail.mails.clear()
    stage.slack.requests.clear()


@pytest.fixture
def stage(repository: Repository, mail: MailServer, slack: WebServer) -> Stage:
    stage = Stage(repository, mail, slack)
    stage.configure()
    return stage


@pytest.mark.parametrize("sample", range(SAMPLES))
@pytest.mark.parametrize("begin", [nothing, known])
@pytest.mark.parametrize("names", [WRITING, SENDING], ids=["writing", "sending"])
def test_killed_at_any_call_a_run_loses_no_alert_and_repeats_it_once_at_most(
    stage: Stage,
    calls: Callable[[str, Begin], list[Call]],
    names: str,
    begin: Begin,
    sample: int,
) -> None:
    """The runs after it tell what it has not told; who has heard it hears it once more at most."""
    made = calls(names, begin)
    begin(stage)
    stage.repository.check("crawler", FAILING)
    killed = stage.killed_at(made[sample * len(made) // SAMPLES])
    for _ in range(2):
        stage.repository.run()

    mails, texts = stage.heard()
    # A call may be one of pytest's, which runs in a copy of the runner: that is told beside it.
    allowed = {1, 2} if killed else {1}
    assert len([each for each in mails if ALERT in each]) in allowed
    assert len([each for each in texts if ALERT in each]) in allowed
    assert not [each for each in (*mails, *texts) if "rebuilt" in each]


def test_a_run_is_killed_at_the_call_that_was_named(stage: Stage) -> None:
    stage.repository.check("crawler", FAILING)

    assert stage.killed_at(("mkdir", 1))


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Begin], list[Call]]:
    """Give the calls that an undisturbed run makes, found out once for each way to begin."""

    @cache
    def made(names: str, begin: Begin) -> list[Call]:
        folder = tmp_path_factory.mktemp("counted")
        with MailServer() as mail, slack_server() as slack:
            stage = Stage(Repository(folder / "app"), mail, slack)
            stage.configure()
            begin(stage)
            stage.repository.check("crawler", FAILING)
            return stage.calls(names, folder)

    return made

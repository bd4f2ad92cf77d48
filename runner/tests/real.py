"""A user's repository whose ready-made checks watch real services, and what its operators hear."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from receivers import Mail, MailServer, WebServer, slack_server
from repository import (
    LONGEST,
    READY_MADE,
    Repository,
    cron_environment,
    mail_table,
    slack_table,
    slack_texts,
)

SCREEN = 15
"""Lines that a phone shows: the message has to say by then what is wrong."""


@dataclass(frozen=True)
class Told:
    """What came of one run: its end, its checks, and what people received."""

    code: int
    printed: str
    outcomes: Mapping[str, str]
    """By the check's name, `test_depth[analyze_page]`."""
    mails: tuple[Mail, ...]
    posts: tuple[str, ...]

    @property
    def is_silent(self) -> bool:
        """Whether nobody heard a word, and cron would not either."""
        return (self.code, self.printed, self.mails, self.posts) == (0, "", (), ())

    @property
    def bad(self) -> set[str]:
        """The checks that did not pass, with their outcome: `failed test_depth[analyze_page]`."""
        return {f"{how} {name}" for name, how in self.outcomes.items() if how != "passed"}

    @property
    def subject(self) -> str:
        """The subject of the one mail, unfolded as mail programs do it."""
        return " ".join(str(self._mail.message["Subject"]).split())

    @property
    def body(self) -> str:
        """The text of the one mail."""
        return self._mail.text

    @property
    def screen(self) -> str:
        """What is seen without scrolling: the subject and the first lines."""
        return "\n".join([self.subject, *self.body.splitlines()[:SCREEN]])

    @property
    def everything(self) -> str:
        """All that left the process, as one text."""
        raw = (mail.raw.decode(errors="replace") for mail in self.mails)
        return "\n".join([self.printed, *raw, *(m.text for m in self.mails), *self.posts])

    @property
    def _mail(self) -> Mail:
        assert len(self.mails) == len(self.posts) == 1, (self.code, self.printed, self.bad)
        return self.mails[0]


class Watch:
    """A repository with ready-made checks, and the channels that it tells."""

    def __init__(self, folder: Path, mail: MailServer, slack: WebServer) -> None:
        self.repository = Repository(folder)
        self._mail, self._slack = mail, slack

    def use(self, *names: str, configuration: str, run: str = "", alerts: str = "") -> None:
        """Write the ready-made checks of these names, and what they watch."""
        for name in names:
            shutil.copy(READY_MADE / f"test_{name}.py", self.repository.monitors)
        channels = mail_table(self._mail) + slack_table(self._slack)
        self.repository.configure(configuration + channels, run=run, alerts=alerts)

    def run(
        self, *arguments: str, environment: Mapping[str, str] | None = None, through: str = ""
    ) -> Told:
        """Call `yakei run` as cron does, and return what came of it.

        Args:
            arguments: further ones of `run`.
            environment: what a crontab adds to its own.
            through: a command in front of it, such as setpriv with its options.
        """
        mails, posts = len(self._mail.mails), len(self._slack.requests)
        ended = subprocess.run(
            [*through.split(), *self.repository.command("run", *arguments)],
            cwd=self.repository.folder,
            env=cron_environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LONGEST,
            check=False,
        )
        return Told(
            ended.returncode,
            ended.stdout,
            self._outcomes(),
            tuple(self._mail.mails[mails:]),
            tuple(slack_texts(self._slack)[posts:]),
        )

    def pytest(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run plain `pytest` in the repository, as a developer does."""
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
            cwd=self.repository.folder,
            env={**cron_environment(None), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )

    def _outcomes(self) -> dict[str, str]:
        runs = [each for each in self.repository.state.glob("runs/*") if each.is_dir()]
        if not runs:
            return {}  # it did not come so far, and says why
        last = max(runs, key=lambda run: run.stat().st_mtime)
        events = [
            json.loads(line)
            for journal in sorted(last.rglob("*.jsonl"))
            for line in journal.read_text(encoding="utf-8").splitlines()
        ]
        tests = [event["test"] for event in events if event["event"] == "finished"]
        return {
            test["nodeid"].partition("::")[2]: test["metadata"]["yakei"]["outcome"]
            for test in tests
        }


@contextmanager
def watching(folder: Path) -> Iterator[Watch]:
    """Give a new repository in a folder, with a mail server and a Slack of its own."""
    with ExitStack() as stack:
        mail, slack = stack.enter_context(MailServer()), stack.enter_context(slack_server())
        yield Watch(folder, mail, slack)


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    """A repository that watches nothing yet."""
    with watching(tmp_path / "app") as given:
        yield given

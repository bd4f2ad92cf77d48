"""A user's repository in a temporary folder, in which the installed `yakei` runs as from cron."""

from __future__ import annotations

import html
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest
from receivers import TOKEN, MailServer, WebServer, slack_server
from servers.processes import wait_until

YAKEI = Path(sys.executable).with_name("yakei")
READY_MADE = Path(__file__).resolve().parents[2] / "monitors"
LONGEST = 50
"""Seconds after which a run hangs, as far as a test is concerned."""

PASSING = """
    def test_index_is_fresh():
        \"\"\"The search index is younger than an hour.\"\"\"
"""
FAILING = """
    import pytest

    @pytest.mark.owner("search-team")
    @pytest.mark.runbook("https://wiki.example.com/ops/queue-lag")
    def test_crawler_keeps_up(measure):
        \"\"\"The crawler takes pages off its queue within five minutes.\"\"\"
        measure("waiting", 1396, unit="rows").below(1000)
"""


@dataclass(frozen=True)
class Ran:
    """How a run of `yakei` ended."""

    code: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def silent(self) -> bool:
        """Return whether it said nothing."""
        return not self.stdout and not self.stderr


@dataclass(frozen=True)
class Repository:
    """The folder of an application whose checks are in `monitors`."""

    folder: Path

    def __post_init__(self) -> None:
        self.monitors.mkdir(parents=True)
        self.configure()

    @property
    def monitors(self) -> Path:
        """Return the folder of the checks."""
        return self.folder / "monitors"

    @property
    def state(self) -> Path:
        """Return the folder of what is remembered."""
        return self.folder / ".yakei"

    def write(self, path: str, text: str) -> Path:
        """Write a file of the repository, its text without the indentation of the test."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
        return file

    def check(self, name: str, text: str) -> Path:
        """Write `monitors/test_NAME.py`."""
        return self.write(f"monitors/test_{name}.py", text)

    def configure(self, more: str = "", *, run: str = "", alerts: str = "") -> None:
        """Write yakei.toml: a host, no confirmation, and what a test asks for."""
        confirm = "" if "confirm_after" in run else 'confirm_after = "0s"\n'
        host = "" if "host" in run else 'host = "app01"\n'
        parts = ["[run]\n", host, confirm, dedent(run), "\n[alerts]\n", dedent(alerts), "\n"]
        self.write("yakei.toml", "".join(parts) + dedent(more))

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of `yakei`; its configuration is found from the folder."""
        return [str(YAKEI), *arguments]

    def run(
        self,
        *arguments: str,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Ran:
        """Call `yakei run` as cron does: hardly any environment, and no input."""
        return self.call("run", *arguments, cwd=cwd, environment=environment)

    def call(
        self,
        *arguments: str,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Ran:
        """Call any command of `yakei`."""
        begun = time.monotonic()
        ended = subprocess.run(
            self.command(*arguments),
            cwd=cwd or self.folder,
            env=cron_environment(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=LONGEST,
        )
        texts = (each.decode(errors="replace") for each in (ended.stdout, ended.stderr))
        return Ran(ended.returncode, *texts, time.monotonic() - begun)

    @contextmanager
    def started(
        self, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Give a `yakei run` that is under way, and end it with the block."""
        process = subprocess.Popen(
            self.command("run", *arguments),
            cwd=self.folder,
            env=cron_environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
            process.communicate(timeout=LONGEST)

    @contextmanager
    def busy(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """Give a run that has come as far as the check of `self.write_waiting`."""
        with self.started(*arguments) as process:
            wait_until(self.folder.joinpath("waiting").exists, "the check has begun")
            yield process

    def write_waiting(self) -> None:
        """Write a check that waits until the file `go` is there, and says so in `waiting`."""
        self.check(
            "waiting",
            f"""
            import pathlib, time

            def test_slow_thing():
                folder = pathlib.Path({str(self.folder)!r})
                folder.joinpath("waiting").touch()
                while not folder.joinpath("go").exists():
                    time.sleep(0.02)
        """,
        )

    def let_go(self) -> None:
        """Let the waiting check end."""
        self.folder.joinpath("go").touch()

    def everything_kept(self) -> str:
        """Return the content of every file of the state folder, of whatever kind."""
        files = [file for file in sorted(self.state.rglob("*")) if file.is_file()]
        return "\n".join(file.read_bytes().decode(errors="replace") for file in files)


CRONS = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
"""What cron gives its jobs."""


def cron_environment(more: Mapping[str, str] | None) -> dict[str, str]:
    """Return what cron gives its jobs, and what a test adds."""
    return {**CRONS, **(more or {})}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "app")


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def slack() -> Iterator[WebServer]:
    with slack_server() as server:
        yield server


@pytest.fixture
def told(repository: Repository, mail: MailServer) -> Repository:
    """Give a repository whose messages go by mail."""
    repository.configure(mail_table(mail))
    return repository


def mail_table(server: MailServer) -> str:
    """Return the table of the channel that a mail server receives."""
    return f"""
[notify.email]
to = ["ops@example.com"]
from = "yakei@example.com"
smtp = "smtp://127.0.0.1:{server.port}"
"""


def slack_table(server: WebServer, more: str = "") -> str:
    """Return the table of the channel that a web server receives."""
    return f"""
[notify.slack]
webhook = "{server.address}/services/T000/B000/SlackSecretPath"
{more}
"""


def bot_table(server: WebServer) -> str:
    """Return the table of the bot that a server of Slack's API knows."""
    return f"""
[notify.bot]
kind = "slack-bot"
token = "{TOKEN}"
channel = "#alerts"
api = "{server.address}/api"
"""


def hook_table(server: WebServer, name: str = "hook", more: str = "") -> str:
    """Return the table of a webhook of a web server."""
    return f"""
[notify.{name}]
kind = "webhook"
url = "{server.address}/hooks/{name}-H00kSecretPath"
{more}
"""


def subjects(server: MailServer) -> list[str]:
    """Return the subjects of the mails that were received, oldest first."""
    return [str(each.message["Subject"]) for each in server.mails]


def slack_texts(server: WebServer) -> list[str]:
    """Return the texts that were posted, oldest first, as people read them."""
    posted = (request.json["text"] for request in server.requests)
    return [html.unescape(text) for text in posted]


def the_mail(mail: MailServer) -> str:
    """Return the only mail, subject first."""
    (only,) = mail.mails
    return f"{only.message['Subject']}\n{only.text}"

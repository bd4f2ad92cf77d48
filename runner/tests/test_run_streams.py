"""Where `yakei run` is called from, and what its streams are, changes no result."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import pytest
from receivers import MailServer
from repository import (
    FAILING,
    PASSING,
    YAKEI,
    Repository,
    cron_environment,
    mail_table,
)

import yakei


def test_on_a_terminal_progress_and_a_summary_are_shown(repository: Repository) -> None:
    repository.check("index", PASSING)
    controller, terminal = pty.openpty()

    subprocess.run(
        repository.command("run"),
        cwd=repository.folder,
        env=cron_environment(None),
        stdout=terminal,
        stderr=terminal,
        check=True,
    )
    os.close(terminal)
    shown = os.read(controller, 65536).decode()
    os.close(controller)

    assert "[1/1] passed     monitors/test_index.py::test_index_is_fresh" in shown
    assert "1 check, all passed" in shown


@pytest.mark.parametrize("place", ["/", "folder"])
def test_cron_gives_the_same_result_as_a_shell(
    repository: Repository, tmp_path: Path, place: str
) -> None:
    """With an empty environment, from another folder and with the configuration named."""
    repository.check("crawler", FAILING)
    config = str(repository.folder / "yakei.toml")
    folder = repository.monitors if place == "folder" else Path(place)

    ran = repository.run("-c", config, cwd=folder)

    assert ran.code == 75
    assert "Reproduce pytest monitors/test_crawler.py::test_crawler_keeps_up" in ran.stdout


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_change_no_result(
    repository: Repository, mail: MailServer, closed: str
) -> None:
    repository.configure(mail_table(mail))
    repository.check("crawler", FAILING)
    command = ["sh", "-c", f'exec "$0" run {closed}', *repository.command()]

    ended = subprocess.run(command, cwd=repository.folder, env=cron_environment(None), check=False)

    assert ended.returncode == 1
    assert len(mail.mails) == 1


@pytest.mark.parametrize("stdout", [">/dev/full", "| true"], ids=["full", "closed pipe"])
@pytest.mark.parametrize("lines", [1, 5000])
def test_a_message_that_stdout_cannot_take_keeps_the_exit_code(
    repository: Repository, stdout: str, lines: int
) -> None:
    repository.check("crawler", f"def test_it():\n    print('x\\n' * {lines})\n    assert False")
    script = f'set -o pipefail; "$0" run {stdout}'

    ended = subprocess.run(
        ["bash", "-c", script, *repository.command()],
        cwd=repository.folder,
        env=cron_environment(None),
        check=False,
        capture_output=True,
        text=True,
    )

    assert ended.returncode == 75
    assert ("No space left" in ended.stderr) == ("full" in stdout)
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "command",
    [
        "run",
        "exec",
        "doctor",
        "init",
        "status",
        "incidents",
        "history",
        "silence",
        "unsilence",
        "ack",
    ],
)
def test_every_command_says_its_version(command: str) -> None:
    ran = subprocess.run([YAKEI, command, "--version"], capture_output=True, text=True, check=True)

    assert ran.stdout == f"yakei {yakei.__version__}\n"


def test_who_ignores_the_end_of_children_hears_of_it_all_the_same(repository: Repository) -> None:
    """As some daemons and containers' entry points do: a program inherits that."""
    ignoring = ["env", "--ignore-signal=CHLD"]
    repository.check("index", PASSING)
    run, exec_ = (
        subprocess.run(
            [*ignoring, *repository.command(*words)],
            cwd=repository.folder,
            env=cron_environment(None),
            capture_output=True,
            check=False,
        )
        for words in (("run",), ("exec", "--", "sh", "-c", "exit 3"))
    )

    assert (run.returncode, run.stdout) == (0, b"")
    assert exec_.returncode == 3

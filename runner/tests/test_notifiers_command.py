"""The command channel, with programs of the shell."""

from __future__ import annotations

import json
import os
import signal
import time
from datetime import timedelta
from pathlib import Path

import pytest
from receivers import a_message, an_item
from servers.processes import wait_until

from yakei.notifiers import DeliveryError
from yakei.notifiers.command import Command, Settings, notifier
from yakei.notifiers.document import document


def shell(script: str, timeout: float = 10, **more: str) -> Command:
    """Return a channel whose program is a script."""
    command = ("/bin/sh", "-c", script)
    settings = Settings(command=command, timeout=timedelta(seconds=timeout), **more)  # type: ignore[arg-type]  # its keys
    return notifier("pager", settings)


def failure_of(command: Command) -> DeliveryError:
    with pytest.raises(DeliveryError) as failure:
        command.notify(a_message())
    return failure.value


# What it is given


def test_the_program_reads_subject_and_text(tmp_path: Path) -> None:
    shell(f"cat > {tmp_path}/read").notify(a_message("disk is full", "97 % of /var\n夜\n"))

    assert (tmp_path / "read").read_text() == "disk is full\n\n97 % of /var\n夜\n"


def test_the_program_reads_the_document_if_it_asks_for_json(tmp_path: Path) -> None:
    message = a_message(items=(an_item(),))
    shell(f"cat > {tmp_path}/read", input="json").notify(message)

    assert json.loads((tmp_path / "read").read_text()) == document(message)


def test_the_facts_are_in_the_environment(tmp_path: Path) -> None:
    script = f'echo "$YAKEI_SEVERITY $YAKEI_RUN $YAKEI_HOST $YAKEI_SUBJECT" > {tmp_path}/facts'
    shell(script).notify(a_message("disk\nis \x00full"))

    facts = (tmp_path / "facts").read_text()
    assert facts == "critical 20100118-0305-4711 app01 disk is full\n"


def test_no_shell_reads_the_command(tmp_path: Path) -> None:
    program = tmp_path / "page"
    program.write_text('#!/bin/sh\necho "$@" > ${0%/*}/arguments\n')
    program.chmod(0o755)
    notifier("pager", Settings(command=(str(program), "$HOME; *", "two"))).notify(a_message())

    assert (tmp_path / "arguments").read_text() == "$HOME; * two\n"


def test_a_program_that_reads_nothing_takes_the_message_too() -> None:
    shell("exit 0").notify(a_message(body="x" * 200_000))


# What its exit code means


@pytest.mark.parametrize(
    ("script", "said", "permanent"),
    [
        ("exit 1", "sh exited with 1", False),
        ("exit 75", "sh exited with 75", False),
        ("exit 67", "sh exited with 67", True),
        ("exit 78", "sh exited with 78", True),
        ("exec /nowhere/page", "sh exited with 127", True),
        ("kill -9 $$", "sh died by SIGKILL", False),
    ],
)
def test_only_zero_is_a_delivery(script: str, said: str, permanent: bool) -> None:
    failure = failure_of(shell(script))

    assert str(failure).startswith(said)
    assert failure.permanent == permanent


def test_the_first_line_of_its_complaint_is_in_the_error() -> None:
    failure = failure_of(shell("echo out; echo >&2; echo 'no \033[31msuch' user >&2; exit 67"))

    assert str(failure) == "sh exited with 67: no such user"


def test_what_the_environment_keeps_secret_is_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGER_TOKEN", "s3cr3tOfThePager")
    failure = failure_of(shell('echo "refused $PAGER_TOKEN, password=0ther" >&2; exit 1'))

    assert str(failure) == "sh exited with 1: refused [redacted], password=[redacted]"


def test_a_missing_program_is_said_with_its_name() -> None:
    failure = failure_of(notifier("pager", Settings(command=("/nowhere/page",))))

    assert str(failure) == "page could not be started: no such file or directory"
    assert failure.permanent


# Time


def test_a_program_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    script = f"sleep 60 & echo $! > {tmp_path}/child; wait"

    assert str(failure_of(shell(script, timeout=0.5))) == "sh has not ended within 0.5 s"
    child = Path(f"/proc/{(tmp_path / 'child').read_text().strip()}/stat")
    wait_until(lambda: not child.exists() or ") Z " in child.read_text(), "the child has ended")


def test_what_it_leaves_in_the_background_is_not_waited_for(tmp_path: Path) -> None:
    started = time.monotonic()
    shell(f"sleep 60 & echo $! > {tmp_path}/child").notify(a_message())
    os.kill(int((tmp_path / "child").read_text()), signal.SIGKILL)

    assert time.monotonic() - started < 5


# Settings


@pytest.mark.parametrize(
    ("command", "expected"), [((), "expected a program"), (("page", "a\0b"), "expected no NUL")]
)
def test_a_command_that_cannot_be_run_is_refused(command: tuple[str, ...], expected: str) -> None:
    with pytest.raises(ValueError, match=f"^command: {expected}"):
        Settings(command=command)

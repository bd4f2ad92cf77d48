"""`yakei exec` around any command: silence, deadline, log and notifications."""

from __future__ import annotations

import re
import signal
import subprocess

import pytest
from receivers import MailServer, WebServer
from repository import Ran, Repository, mail_table, slack_table, slack_texts, subjects
from servers.processes import wait_until

pytestmark = pytest.mark.slow

DASHES = "-" * 78


def run(repository: Repository, *arguments: str) -> Ran:
    """Call `yakei exec` with its options, `--` and the command."""
    return repository.call("exec", *arguments)


def said(ran: Ran) -> tuple[str, str]:
    """Return the subject and the body of a message that went to stdout."""
    assert not ran.stderr
    subject, _, body = ran.stdout.partition("\n\n")
    return subject, body


def test_a_command_that_succeeds_is_silent(repository: Repository, mail: MailServer) -> None:
    repository.configure(mail_table(mail))
    ran = run(repository, "--", "sh", "-c", "echo a; echo b >&2")

    assert (ran.code, ran.stdout, ran.stderr) == (0, "", "")
    assert not mail.mails


def test_a_failing_one_tells_both_its_outputs_between_cronlogs_lines(
    repository: Repository,
) -> None:
    ran = run(repository, "--", "sh", "-c", "echo a; echo b >&2; exit 3")
    subject, body = said(ran)

    assert ran.code == 3
    assert subject.startswith("[CRIT] app01 sh -c echo a; echo b >&2; exit 3: exited with code 3")
    assert body == (
        "app01 starting: sh -c echo a; echo b >&2; exit 3\na\nb\ncommand exited with code:3\n"
    )


def test_a_death_by_signal_is_told_and_is_128_and_its_number(repository: Repository) -> None:
    """For cronlog it was a success."""
    ran = run(repository, "--", "sh", "-c", "kill -KILL $$")
    subject, body = said(ran)

    assert ran.code == 137
    assert ": died by SIGKILL after " in subject
    assert body.endswith("\ncommand died with signal:9\n")


def test_a_missing_program_is_127_and_no_traceback(repository: Repository) -> None:
    ran = run(repository, "--", "/no/such/program")
    _, body = said(ran)

    assert ran.code == 127
    assert "failed to execute command: /no/such/program: No such file or directory\n" in body
    assert "Traceback" not in ran.stdout


def test_an_orphan_that_holds_the_output_is_ended_and_told(repository: Repository) -> None:
    ran = run(repository, "--", "sh", "-c", "sleep 60 & exit 0")
    subject, body = said(ran)

    assert (ran.code, ran.seconds < 10) == (0, True)
    assert subject.endswith(": the command left 1 process running, now ended")
    assert ": sleep 60\n" in body


def test_the_deadline_ends_the_command(repository: Repository) -> None:
    ran = run(repository, "--deadline", "1s", "--", "sh", "-c", "echo begun; sleep 60")
    subject, body = said(ran)

    assert (ran.code, ran.seconds < 7) == (124, True)
    assert subject.endswith(": the deadline of 1 s ended the command")
    assert "\nbegun\n" in body


def test_the_log_has_every_run_and_the_message_only_the_last(repository: Repository) -> None:
    log = repository.folder / "job.log"
    run(repository, "--log", str(log), "--", "echo", "well")
    ran = run(repository, "--log", str(log), "--", "false")
    _, body = said(ran)

    assert log.read_text() == (
        f"{DASHES}\napp01 starting: echo well\nwell\ncommand exited with code:0\n"
        f"{DASHES}\napp01 starting: false\ncommand exited with code:1\n"
    )
    assert "well" not in body
    assert body.endswith(f"\n\nLog       {log}\n")


@pytest.mark.parametrize(
    ("stamp", "begins"),
    [
        pytest.param(["--timestamp"], r"^\[\d{4}-\d\d-\d\dT", id="iso"),
        pytest.param(["--timestamp=ctime"], r"^\[[A-Z][a-z]{2} [A-Z][a-z]{2} ", id="as cronlog"),
    ],
)
def test_lines_are_stamped_when_asked(
    repository: Repository, stamp: list[str], begins: str
) -> None:
    ran = run(repository, *stamp, "--", "false")
    subject, body = said(ran)

    assert "exited with code 1" in subject
    assert all(re.match(begins, line) for line in body.splitlines())


def test_a_log_that_cannot_be_written_is_told_and_stops_nothing(repository: Repository) -> None:
    ran = run(repository, "--log", "/no/such/folder/log", "--", "touch", "done")
    subject, _ = said(ran)

    assert ran.code == 0
    assert "log /no/such/folder/log cannot be written" in subject
    assert (repository.folder / "done").exists()


def test_what_a_channel_took_is_not_printed(
    repository: Repository, mail: MailServer, slack: WebServer
) -> None:
    repository.configure(mail_table(mail) + slack_table(slack))
    ran = run(repository, "--", "sh", "-c", "echo no space left; exit 3")

    assert (ran.code, ran.stdout, ran.stderr) == (3, "", "")
    assert "exited with code 3" in subjects(mail)[0]
    assert "no space left" in mail.mails[0].text
    assert "no space left" in slack_texts(slack)[0]


def test_what_no_channel_took_is_printed_with_the_reason(
    repository: Repository, closed_port: int
) -> None:
    repository.configure(f"""
        [notify.slack]
        webhook = "http://127.0.0.1:{closed_port}/services/T/B/S3cr3t"
    """)
    ran = run(repository, "--", "sh", "-c", "echo no space left; exit 3")

    assert ran.code == 3
    assert "\nno space left\n" in ran.stdout
    assert "\nslack failed: " in ran.stdout
    assert "S3cr3t" not in ran.stdout


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("[run\n", "does not parse", id="no TOML"),
        pytest.param("[run]\nlok = 'x'\n", "run.lok: unknown key", id="a typing error"),
    ],
)
def test_a_broken_configuration_is_told_and_the_command_runs(
    repository: Repository, text: str, complaint: str
) -> None:
    repository.write("yakei.toml", text)
    ran = run(repository, "--", "touch", "done")

    assert ran.code == 0
    assert complaint in ran.stdout
    assert (repository.folder / "done").exists()


def test_a_broken_configuration_is_told_through_the_channel_that_is_right(
    repository: Repository, mail: MailServer
) -> None:
    repository.configure(mail_table(mail), run='lok = "x"')
    ran = run(repository, "--", "sh", "-c", "exit 3")

    assert (ran.code, ran.stdout, ran.stderr) == (3, "", "")
    assert "run.lok: unknown key; did you mean log?" in mail.mails[0].text


def test_without_a_configuration_it_prints(repository: Repository) -> None:
    (repository.folder / "yakei.toml").unlink()
    ran = run(repository, "--", "sh", "-c", "echo a; exit 3")

    assert ran.code == 3
    assert "\na\ncommand exited with code:3\n" in ran.stdout


def test_a_secret_of_the_configuration_is_not_told(
    repository: Repository, slack: WebServer
) -> None:
    repository.configure(slack_table(slack))
    log = repository.folder / "job.log"
    url = f"{slack.address}/services/T000/B000/SlackSecretPath"
    ran = run(repository, "--log", str(log), "--", "sh", "-c", f"echo {url}; exit 1")

    assert ran.code == 1
    assert "SlackSecretPath" not in "".join(slack_texts(slack)) + log.read_text()


def test_told_to_end_it_ends_the_command_and_says_nothing(repository: Repository) -> None:
    command = repository.command("exec", "--", "sh", "-c", "touch begun; sleep 60")
    with subprocess.Popen(command, cwd=repository.folder, stdout=subprocess.PIPE) as process:
        wait_until((repository.folder / "begun").exists, "the command")
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate(timeout=30)

    assert (process.returncode, printed) == (143, b"")


def test_bad_usage_is_2(repository: Repository) -> None:
    assert run(repository, "--deadline", "soon", "--", "true").code == 2

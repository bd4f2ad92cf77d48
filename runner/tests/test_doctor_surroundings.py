"""`yakei doctor` looks at state, lock, log, crontab and channels."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from doctors import (
    CRONTAB,
    SECRET,
    doctor,
    failures,
    healthy,
    require_root,
    well_equipped,
    write_program,
)
from receivers import MailServer, WebServer
from repository import (
    YAKEI,
    Repository,
    cron_environment,
    mail_table,
    slack_table,
    slack_texts,
    subjects,
)

from yakei.lock import Held, Lock

pytestmark = pytest.mark.slow

PROGRAM = shlex.quote(str(YAKEI))
HIDE = """
for program in /usr/sbin/sendmail /usr/lib/sendmail /usr/bin/sendmail; do
    [ ! -e $program ] || mount --bind /dev/null "$(readlink -f $program)"
done
exec "$@"
"""
WITHOUT_SENDMAIL = ["unshare", "--mount", "--propagation=private", "sh", "-c", HIDE, "sh"]
"""Runs a program in a mount namespace where no sendmail of this machine can be executed."""


def doctor_without_sendmail(repository: Repository, programs: Path) -> CompletedProcess[str]:
    """Call `yakei doctor` where there is no sendmail; the programs of the test are found first."""
    (programs / "sendmail").unlink()
    return subprocess.run(
        [*WITHOUT_SENDMAIL, *repository.command("doctor")],
        cwd=repository.folder,
        env=cron_environment({"PATH": f"{programs}:/usr/bin:/bin"}),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    return well_equipped(tmp_path / "bin")


@pytest.fixture
def well(repository: Repository) -> Repository:
    return healthy(repository)


@pytest.mark.server
def test_somebody_elses_state_is_left_alone(well: Repository, programs: Path) -> None:
    """Root would leave files in it that its owner's runs cannot write."""
    require_root()
    well.state.mkdir()
    os.chown(well.state, 65534, 65534)
    ran = doctor(well, programs)

    assert (ran.code, list(well.state.iterdir())) == (1, [])
    assert failures(ran)[0].startswith(
        f"state: {well.state} belongs to nobody and you are root: call `yakei doctor` as the user "
    )


def test_a_state_that_cannot_be_made_is_said(well: Repository, programs: Path) -> None:
    (well.folder / "file").write_text("")
    well.configure(run='state = "file/state"')
    ran = doctor(well, programs)

    assert ran.code == 1
    assert failures(ran)[0].startswith(f"state: {well.folder}/file/state cannot be made: ")


def test_a_damaged_state_is_said(well: Repository, programs: Path) -> None:
    well.run()
    (well.state / "state.sqlite3").write_text("rubbish" * 1000)
    ran = doctor(well, programs)

    assert ran.code == 1
    assert failures(ran)[0].startswith("state: state had to be rebuilt: ")


def test_a_held_lock_is_said_with_its_holder(well: Repository, programs: Path) -> None:
    well.run()
    lock = Lock(well.state / "lock").acquire()
    assert isinstance(lock, Held)
    with lock:
        ran = doctor(well, programs)

    assert ran.code == 0
    assert f"ok    lock: {well.state}/lock" in ran.stdout
    assert str(os.getpid()) in ran.stdout


def test_a_log_without_its_folder_is_said(well: Repository, programs: Path) -> None:
    well.configure(run='log = "logs/yakei.log"')
    ran = doctor(well, programs)

    assert ran.code == 1
    assert failures(ran) == [
        f"log: {well.folder}/logs/yakei.log cannot be written: make the folder {well.folder}/logs"
    ]


@pytest.mark.parametrize(
    "crontab",
    [
        pytest.param("exit 1", id="no crontab"),
        pytest.param(f"echo '# {CRONTAB}'", id="a line that is switched off"),
        pytest.param("echo '5 0 * * * true'", id="only others"),
    ],
)
def test_where_nothing_calls_it_the_line_to_add_is_shown(
    well: Repository, programs: Path, crontab: str
) -> None:
    write_program(programs / "crontab", crontab)
    ran = doctor(well, programs)

    assert (ran.code, len(failures(ran))) == (1, 1)
    assert f"\n      */5 * * * * cd {well.folder} && exec {PROGRAM} run\n" in ran.stdout


def test_the_line_to_add_names_a_configuration_of_another_name(
    well: Repository, programs: Path
) -> None:
    write_program(programs / "crontab", "exit 1")
    (well.folder / "yakei.toml").rename(well.folder / "nightly.toml")
    ran = doctor(well, programs, "-c", "nightly.toml")

    assert f"cd {well.folder} && exec {PROGRAM} run -c nightly.toml\n" in ran.stdout


@pytest.mark.server
def test_without_a_channel_nor_a_sendmail_nobody_would_hear(
    well: Repository, programs: Path
) -> None:
    """Where cron cannot mail, it throws away what a job prints."""
    require_root()
    ran = doctor_without_sendmail(well, programs)

    assert ran.returncode == 1
    assert "FAIL  channels: no [notify.NAME], and no sendmail by which cron could" in ran.stdout


@pytest.mark.server
def test_mail_without_a_sendmail_nor_a_server_cannot_work(well: Repository, programs: Path) -> None:
    require_root()
    well.configure('[notify.email]\nto = ["ops@example.com"]\n')
    ran = doctor_without_sendmail(well, programs)

    assert ran.returncode == 1
    assert "FAIL  channel email: there is no sendmail on this machine; install one, or set" in (
        ran.stdout
    )


def test_another_configuration_with_the_same_state_is_said(
    well: Repository, programs: Path
) -> None:
    (well.folder / "nightly.toml").write_text((well.folder / "yakei.toml").read_text())
    for arguments in ((), ("-c", "nightly.toml")):
        well.run(*arguments)
    ran = doctor(well, programs)

    assert ran.code == 1
    assert f"it is used by {well.folder}/nightly.toml as well; nothing of" in failures(ran)[0]


def test_without_send_nothing_is_sent(
    well: Repository, programs: Path, mail: MailServer, slack: WebServer
) -> None:
    well.configure(mail_table(mail) + slack_table(slack))
    ran = doctor(well, programs)

    assert ran.code == 0
    assert (mail.mails, slack.requests) == ([], [])
    assert "ok    channel email: configured; `yakei doctor --send` sends" in ran.stdout


def test_send_sends_a_message_that_is_marked_as_a_test(
    well: Repository, programs: Path, mail: MailServer, slack: WebServer
) -> None:
    well.configure(mail_table(mail) + slack_table(slack))
    ran = doctor(well, programs, "--send")

    assert ran.code == 0
    assert subjects(mail) == ["[TEST] app01 yakei: test message"]
    assert "[TEST] app01 yakei: test message" in slack_texts(slack)[0]
    assert "ok    channel email: took a test message\n" in ran.stdout
    assert "ok    channel slack: took a test message\n" in ran.stdout


def test_each_channel_has_its_own_result(
    well: Repository, programs: Path, mail: MailServer, closed_port: int
) -> None:
    url = f"http://127.0.0.1:{closed_port}/services/T0/B0/{SECRET}"
    well.configure(f'[notify.slack]\nwebhook = "{url}"\n' + mail_table(mail))
    ran = doctor(well, programs, "--send")

    assert ran.code == 1
    assert failures(ran)[0].startswith("channel slack: the test message was not taken: ")
    assert "ok    channel email: took a test message\n" in ran.stdout
    assert SECRET not in ran.stdout + ran.stderr


def test_a_heartbeat_is_not_called(well: Repository, programs: Path, slack: WebServer) -> None:
    """A call would say that a run has finished."""
    well.configure(f'[heartbeat]\nurl = "{slack.address}/ping/watched"\n')
    ran = doctor(well, programs, "--send")

    assert "ok    heartbeat: configured; every whole run calls it\n" in ran.stdout
    assert not slack.requests

"""A state or log that cannot be used is told, and stops no run."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from receivers import MailServer
from repository import (
    CRONS,
    FAILING,
    PASSING,
    Repository,
    cron_environment,
    mail_table,
    subjects,
)
from servers.processes import private_folder
from stored import forget_makeshift, rows

pytestmark = pytest.mark.slow  # each starts whole runs


@pytest.fixture(autouse=True)
def _leaves_nothing_in_tmp(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give runs a temporary folder that is removed: there they keep what their own cannot take."""
    with private_folder(None) as folder:
        folder.chmod(0o1777)
        monkeypatch.setitem(CRONS, "TMPDIR", str(folder))
        yield


@pytest.mark.parametrize(
    "damage", ["corrupt", "truncated", "newer", "empty", "a folder of rubbish"]
)
def test_a_state_that_cannot_be_read_is_told_once_and_set_aside(
    repository: Repository, mail: MailServer, damage: str
) -> None:
    repository.configure(mail_table(mail))
    repository.check("index", PASSING)
    repository.run()
    spoil(repository.state / "state.sqlite3", damage)

    codes = [repository.run().code for _ in range(2)]

    assert codes == [3, 0]
    assert ["state had to be rebuilt" in each for each in subjects(mail)] == [True]
    assert list(repository.state.glob("*.corrupt"))


def spoil(file: Path, damage: str) -> None:
    content = file.read_bytes()
    if damage == "newer":
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("pragma user_version = 999")
        return
    damaged = {
        "corrupt": content[:100] + os.urandom(len(content) - 100),
        "truncated": content[: len(content) // 3],
        "empty": b"",
        "a folder of rubbish": b"\x00" * 5000,
    }
    file.write_bytes(damaged[damage])


def test_a_log_whose_folder_is_missing_is_told_and_the_checks_run(
    repository: Repository, mail: MailServer
) -> None:
    repository.configure(mail_table(mail))
    repository.check("index", PASSING)

    ran = repository.run("--log", "/no/such/folder/run.log")

    assert (ran.code, ran.stdout) == (3, "")
    assert "log /no/such/folder/run.log cannot be written" in mail.mails[0].text
    assert "1 check, all passed" in mail.mails[0].text


def fill(disk: Path) -> None:
    """Leave no room on a disk."""
    with (disk / "ballast").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a folder on a disk of its own that is full."""
    place = tmp_path / "tiny"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", place], check=False
    )
    assert mounted.returncode == 0, "this test mounts a tmpfs: run it as root"
    try:
        fill(place)
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)
        forget_makeshift(place / "state")


def with_room(repository: Repository, mail: MailServer, disk: Path) -> None:
    """Have a state on a disk that has room for it, at first, and a check that passes."""
    (disk / "ballast").unlink()
    subprocess.run(["mount", "-o", "remount,size=4m", disk], check=True)
    repository.configure(mail_table(mail), run=f'state = "{disk}/state"')
    repository.check("index", PASSING)


@pytest.mark.server
def test_a_full_disk_keeps_no_alert_back(
    repository: Repository, mail: MailServer, tiny_disk: Path
) -> None:
    repository.configure(
        mail_table(mail), run=f'state = "{tiny_disk}/state"\nlog = "{tiny_disk}/run.log"'
    )
    repository.check("crawler", FAILING)

    ran = repository.run()

    assert (ran.code, ran.stdout, ran.stderr) == (3, "", "")
    text = mail.mails[0].text
    assert "1396 rows" in text
    assert "cannot be written" in text


@pytest.mark.server
def test_a_disk_that_fills_up_later_keeps_no_alert_back(
    repository: Repository, mail: MailServer, tiny_disk: Path
) -> None:
    """The state exists, and has no room for what the run found."""
    with_room(repository, mail, tiny_disk)
    first = repository.run()
    repository.check("crawler", FAILING)
    fill(tiny_disk)

    second = repository.run()

    assert (first.code, second.code, second.stderr) == (0, 3, "")
    assert any("1396 rows" in each.text for each in mail.mails)


@pytest.mark.server
def test_a_state_that_may_not_be_written_is_told_and_the_checks_run(
    repository: Repository, tmp_path: Path
) -> None:
    """Somebody ran it as root once; now cron's user has no right."""
    repository.check("crawler", FAILING)
    repository.state.mkdir(mode=0o755)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    powerless = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]

    ended = subprocess.run(
        [*powerless, *repository.command("run")],
        cwd=repository.folder,
        env=cron_environment({"HOME": str(tmp_path)}),
        check=False,
        capture_output=True,
        text=True,
    )

    forget_makeshift(repository.state)
    assert (ended.returncode, ended.stderr) == (75, "")
    assert "1396 rows" in ended.stdout
    assert ".yakei" in ended.stdout


@pytest.mark.server
def test_on_a_full_disk_each_thing_is_said_once_and_nothing_is_lost(
    repository: Repository, mail: MailServer, tiny_disk: Path
) -> None:
    with_room(repository, mail, tiny_disk)
    repository.run()
    silenced = repository.call("silence", "*index*", "--for", "2h", "--reason", "moving")
    fill(tiny_disk)
    refused = repository.call("silence", "*index*", "--for", "3h", "--reason", "moving")
    repository.check("crawler", FAILING)
    codes = [repository.run().code for _ in range(3)]
    status = repository.call("status").stdout
    examined = " ".join(repository.call("doctor").stdout.split())
    (tiny_disk / "ballast").unlink()
    codes += [repository.run().code for _ in range(2)]

    told = [each for each in subjects(mail) if "crawler" in each]
    assert (silenced.code, refused.code, codes) == (0, 2, [3, 3, 3, 1, 1])
    assert "the disk is full; make room there" in refused.stderr
    assert len(told) == 1
    assert len([each for each in mail.mails if "the disk is full" in each.text]) == 1
    assert not [each for each in mail.mails if "fails in another way" in each.text]
    assert f"FAIL state: state {tiny_disk}/state/state.sqlite3: the disk is full" in examined
    assert "what happened since is kept in /dev/shm/yakei-" in " ".join(status.split())
    assert rows(tiny_disk / "state", "select count(*) from silences") == [(1,)]
    assert "5 runs" in repository.call("status").stdout


@pytest.mark.server
def test_a_disk_that_is_read_only_is_told_once_and_by_that_name(
    repository: Repository, mail: MailServer, tiny_disk: Path
) -> None:
    """The kernel mounts a broken disk anew like that."""
    with_room(repository, mail, tiny_disk)
    repository.run()
    subprocess.run(["mount", "-o", "remount,ro", tiny_disk], check=True)
    codes = [repository.run().code for _ in range(3)]
    examined = repository.call("doctor").stdout
    subprocess.run(["mount", "-o", "remount,rw", tiny_disk], check=True)
    codes.append(repository.run().code)

    assert codes == [3, 3, 3, 0]
    (told,) = mail.mails
    assert f"state {tiny_disk}/state/state.sqlite3: its file system is read-only" in told.text
    assert "FAIL  state: " in examined

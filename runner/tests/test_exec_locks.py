"""`yakei exec --lock`: one at a time, with setlock and flock(1) as equals."""

from __future__ import annotations

import os
import re
from pathlib import Path

from repository import Repository

from yakei.lock import Held, Lock


def held(path: Path) -> Held:
    """Return the lock, taken by this process."""
    lock = Lock(path).acquire()
    assert isinstance(lock, Held)
    return lock


def test_a_held_lock_is_111_and_says_who_holds_it(repository: Repository) -> None:
    path = repository.folder / "job.lock"
    with held(path):
        ran = repository.call("exec", "--lock", str(path), "--", "touch", "done")
    subject, _, body = ran.stdout.partition("\n\n")

    assert ran.code == 111
    assert subject.startswith("[CRIT] app01 touch done: ")
    assert re.match(rf"{path} .*\b{os.getpid()}\b", body)
    assert body.endswith("The command was not run.\n")
    assert not (repository.folder / "done").exists()


def test_a_held_lock_can_be_skipped_in_silence(repository: Repository) -> None:
    path = repository.folder / "job.lock"
    with held(path):
        ran = repository.call(
            "exec", "--lock", str(path), "--on-busy", "skip", "--", "touch", "done"
        )

    assert (ran.code, ran.stdout, ran.stderr) == (0, "", "")
    assert not (repository.folder / "done").exists()


def test_a_lock_that_cannot_be_had_is_111_as_with_setlock(repository: Repository) -> None:
    ran = repository.call("exec", "--lock", "/no/such/folder/lock", "--", "touch", "done")
    subject = ran.stdout.partition("\n")[0]

    assert ran.code == 111
    assert "/no/such/folder/lock" in subject
    assert not (repository.folder / "done").exists()


def test_the_lock_is_held_while_the_command_runs(repository: Repository) -> None:
    path = repository.folder / "job.lock"
    ran = repository.call("exec", "--lock", str(path), "--", "flock", "-n", str(path), "true")

    assert ran.code == 1

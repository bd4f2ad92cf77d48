"""A lock counts while it is held, by whoever has it; a flag counts while it is there."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bystanders import context_of, running
from locked import LOCK_COMMAND, held_by_a_job, path
from servers.processes import wait_until

from pytest_yakei.errors import CannotTell
from pytest_yakei.measures import take
from pytest_yakei.probes.lockfiles import LockFile, Settings, probe
from pytest_yakei.probes.lockfiles.kernel import holding, parse_locks
from yakei_shared.limits import Limit

__all__ = ["path"]

MINUTE = timedelta(minutes=1)


def lock(path: Path, *, after: timedelta = timedelta(0), memory: Any = None) -> LockFile:
    """Return the lock as it is judged so long from now."""
    settings = Settings(path=path, max_held=Limit(5 * MINUTE))
    return probe(context_of(settings, memory=memory, now=datetime.now(UTC) + after))


def test_a_file_that_nobody_holds_is_well_however_old(path: Path) -> None:
    os.utime(path, (0, 0))

    assert lock(path).held() == timedelta(0)


def test_a_lock_file_that_no_job_has_made_yet_is_well(tmp_path: Path) -> None:
    assert lock(tmp_path / "backup.lock").held() == timedelta(0)


def test_a_lock_in_a_folder_that_does_not_exist_is_a_wrong_path(tmp_path: Path) -> None:
    with pytest.raises(CannotTell, match=r"is .*/none/backup.lock the right file"):
        lock(tmp_path / "none/backup.lock").held()


@pytest.mark.parametrize("minutes", [4, 16])
def test_a_lock_is_held_since_its_holder_started(path: Path, minutes: int) -> None:
    with held_by_a_job(path):
        held = lock(path, after=minutes * MINUTE).held()

    assert abs(held - minutes * MINUTE) < timedelta(seconds=5)


def test_a_lock_held_for_too_long_names_its_holder(path: Path) -> None:
    with held_by_a_job(path) as job:
        late = lock(path, after=16 * MINUTE)
        with pytest.raises(AssertionError) as failure, late.explained():
            take("held", late.held(), "")[0].below(late.max_held)

    fact, *details = str(failure.value).splitlines()
    assert fact.startswith("held: 16 min")
    assert fact.endswith("(limit: below 5 min)")
    assert details[0].startswith(f"{path} is held by pid {job.pid}: sleep 600 (user ")


def test_a_lock_that_is_well_needs_no_explanation(path: Path) -> None:
    with lock(path).explained():
        pass


def test_looking_does_not_take_the_lock_nor_touch_the_file(path: Path) -> None:
    os.utime(path, (0, 0))
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        before = path.stat()
        lock(path).held()

        assert path.stat() == before


def test_a_holder_that_waited_for_the_lock_did_not_hold_it_while_another_did(path: Path) -> None:
    """`setlock` without -n starts long before it gets the lock."""
    memory: dict[str, Any] = {}
    with held_by_a_job(path):
        lock(path, after=10 * MINUTE, memory=memory).held()
    with held_by_a_job(path):
        held = lock(path, after=12 * MINUTE, memory=memory).held()

    assert abs(held - 2 * MINUTE) < timedelta(seconds=5)


def test_a_daemon_that_takes_the_lock_now_and_then_does_not_hold_it_since_its_start(
    path: Path,
) -> None:
    memory: dict[str, Any] = {}
    lock(path, after=60 * MINUTE, memory=memory).held()
    with held_by_a_job(path):
        first = lock(path, after=65 * MINUTE, memory=memory).held()
        second = lock(path, after=70 * MINUTE, memory=memory).held()

    assert abs(first - 5 * MINUTE) < timedelta(seconds=5)
    assert abs(second - 10 * MINUTE) < timedelta(seconds=5)


def test_a_lock_outlives_the_process_that_took_it(path: Path) -> None:
    """A child has inherited the descriptor; the kernel's list names the dead."""
    left_behind = "sleep 600 > /dev/null 2>&1 & echo $!"
    job = [*LOCK_COMMAND, path, "sh", "-c", left_behind]
    said = subprocess.run(job, stdout=subprocess.PIPE, check=True, timeout=30).stdout
    with _ended(int(said)) as heir:
        holders = holding(path).holders

        assert [holder.process and holder.process.pid for holder in holders] == [heir]
        assert holders[0].has_inherited


@contextmanager
def _ended(pid: int) -> Iterator[int]:
    try:
        yield pid
    finally:
        os.kill(pid, 9)


def test_who_waits_for_a_lock_does_not_hold_it(path: Path) -> None:
    with held_by_a_job(path) as job, running(["flock", path, "true"]):
        wait_until(lambda: holding(path).waiting, "the second one to wait")
        found = holding(path)

    assert [holder.lock.pid for holder in found.holders] == [job.pid]
    assert found.waiting == 1


def test_a_posix_lock_is_a_lock_of_another_kind(path: Path) -> None:
    with path.open("r+") as file:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        (holder,) = holding(path).holders

    assert holder.lock.kind_name == "fcntl"
    assert holder.process
    assert holder.process.pid == os.getpid()


def test_a_lock_of_an_open_file_description_has_its_holder_too(path: Path) -> None:
    code = f"""
import fcntl, struct, time
file = open({str(path)!r}, "r+")
fcntl.fcntl(file, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
time.sleep(600)
"""
    with running(["python3", "-c", code]) as job:
        wait_until(lambda: holding(path).holders, "the lock")
        (holder,) = holding(path).holders

    assert holder.process
    assert holder.process.pid == job.pid
    assert not holder.has_inherited


def test_shared_locks_have_several_holders(path: Path) -> None:
    shared = ["flock", "--shared", "--no-fork", path, "sleep", "600"]
    with running(shared), running(shared):
        wait_until(lambda: len(holding(path).holders) == 2, "two shared locks")


def test_leases_and_waiters_are_not_held_locks() -> None:
    lines = """\
1: FLOCK  ADVISORY  WRITE 9007 fe:00:2162722 0 EOF
1: -> FLOCK  ADVISORY  WRITE 9010 fe:00:2162722 0 EOF
2: LEASE  ACTIVE    READ  9011 fe:00:2162722 0 EOF
3: POSIX  ADVISORY  READ  9012 00:1a:77 128 191
4: OFDLCK ADVISORY  WRITE -1 fe:00:5 0 EOF
"""

    locks = parse_locks(lines)

    assert [(found.kind, found.pid, found.waits) for found in locks] == [
        ("FLOCK", 9007, False),
        ("FLOCK", 9010, True),
        ("POSIX", 9012, False),
        ("OFDLCK", -1, False),
    ]
    assert locks[2].device == (0, 0x1A)

"""What slon's log tells, in every wording, and what it must not be taken for."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from bystanders import context_of, run_python
from slony_logs import AFTERWARDS, NOW, OLD, RECENT, REFUSED, STATEMENT, WORDINGS, Log, log, stamp

from pytest_yakei.errors import CannotTell
from pytest_yakei.probes.slony import Settings, probe
from pytest_yakei.probes.slony.logfile import MOST_BYTES

__all__ = ["log"]


@pytest.mark.parametrize("wording", WORDINGS)
@pytest.mark.parametrize("encoding", ["utf-8", "euc_jp"])
def test_a_refused_start_is_told_in_every_wording(log: Log, wording: str, encoding: str) -> None:
    line = f"{stamp(RECENT)}FATAL  {STATEMENT}{WORDINGS[wording]}"
    log.write(line, "DETAIL:  Key (nl_nodeid, nl_conncnt)=(1, 0).", "", encoding=encoding)

    assert str(log.refused()).startswith(f"{REFUSED}\nLog       {log.path}\n")
    assert "sl_nodelock-pkey" in str(log.refused())


@pytest.mark.parametrize("wording", WORDINGS)
def test_a_refused_start_of_yesterday_is_not_told(log: Log, wording: str) -> None:
    log.write(f"{stamp(OLD)}FATAL  {STATEMENT}{WORDINGS[wording]}")

    assert not log.refused()


def test_what_slon_adds_to_a_refusal_is_no_second_trouble(log: Log) -> None:
    log.write(f"{stamp(RECENT)}FATAL  {STATEMENT}{WORDINGS['new']}")
    log.write(*(f"{stamp(RECENT)}{line}" for line in AFTERWARDS))

    assert len(log.refused()) == 1
    assert not log.ended()


def test_several_refusals_are_one_finding_with_their_number(log: Log) -> None:
    for seconds in (300, 240, 180):
        at = NOW - timedelta(seconds=seconds)
        log.write(f"{stamp(at)}FATAL  {STATEMENT}{WORDINGS['new']}")

    assert str(log.refused()).splitlines()[0] == f"{REFUSED}, 3 times in 15 min"


def test_slons_end_for_another_reason_is_told_apart(log: Log) -> None:
    log.write(
        f"{stamp(RECENT)}FATAL  localListenThread: cannot start transaction - server closed",
        "\tThis probably means the server terminated abnormally",
        f"{stamp(RECENT)}CONFIG slon: restart of worker in 10 seconds",
    )

    assert not log.refused()
    assert str(log.ended()).startswith("slon gave up 3 min ago\n")


@pytest.mark.parametrize(
    "line",
    [
        "FATAL:  the database system is starting up",
        "DEBUG2 remoteWorkerThread_2: SYNC 23505 done in 0.006 seconds",
        "INFO   slon: pid 23505 ended",
        "CONFIG cleanupThread: FATAL lines are counted",
        "DEBUG1 sl_nodelock-pkey is an index",
    ],
)
def test_what_only_looks_serious_is_not_told(log: Log, line: str) -> None:
    log.write(f"{stamp(RECENT)}INFO   main: started", f"{stamp(RECENT)}{line}")

    assert not log.refused()
    assert not log.ended()


@pytest.mark.parametrize(
    "line",
    [
        "ERROR  remoteWorkerThread_1: insert - ERROR:  23505: 一意性制約に違反しています",
        "ERROR  remoteWorkerThread_1: insert failed, SQLSTATE=23505",
    ],
)
def test_a_duplicate_key_in_the_data_is_not_called_a_refused_lock(log: Log, line: str) -> None:
    log.write(f"{stamp(RECENT)}{line}")

    assert str(log.refused()).startswith("slon met a duplicate key 3 min ago\n")


def test_of_a_huge_log_the_end_is_read(log: Log) -> None:
    with log.path.open("wb") as file:
        file.truncate(MOST_BYTES * 3)
    log.write("", f"{stamp(RECENT)}FATAL  {STATEMENT}{WORDINGS['new']}")

    assert str(log.refused()).startswith(REFUSED)


def test_a_password_in_the_log_is_not_repeated(log: Log) -> None:
    log.write(f'{stamp(RECENT)}FATAL  cannot connect to "host=db01 password=s3cr3t user=slony"')
    log.write('FATAL  cannot connect to "host=db01 password=s3cr3t user=slony"', at=RECENT)

    said = str(log.ended())

    assert "host=db01 password=" in said
    assert "s3cr3t" not in f"{said} {log.memory}"


def test_a_log_that_is_not_there_cannot_tell(log: Log) -> None:
    log.path.unlink()

    with pytest.raises(CannotTell, match="cannot be read: No such file or directory; is it"):
        log.refused()


def test_without_a_configured_log_there_is_nothing_to_say() -> None:
    assert not probe(context_of(Settings(database="main", cluster="c"))).refused_starts()


@pytest.mark.server
def test_a_log_that_we_may_not_read_cannot_tell(log: Log) -> None:
    """Root without capabilities is refused like anybody else."""
    log.path.chmod(0o600)
    os.chown(log.path, 65534, 65534)
    code = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from pytest_yakei.errors import CannotTell
from pytest_yakei.probes.slony.logfile import serious_entries
try:
    serious_entries(Path(sys.argv[1]), datetime.now(UTC), {})
except CannotTell as error:
    print(error)
"""
    through = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]

    assert run_python(code, log.path, through=through).endswith("Permission denied; let us read it")

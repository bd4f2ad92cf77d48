"""When the lines of slon's log were written, with every kind of time and with none."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from bystanders import run_python
from slony_logs import AFTERWARDS, NOW, RECENT, REFUSED, STATEMENT, WORDINGS, Log, log

__all__ = ["log"]


@pytest.mark.parametrize(
    "prefix",
    [
        pytest.param("2026-03-29 11:57:30 JST ", id="slon in Japan"),
        pytest.param("2026-03-29 11:57:30 JST [4711] ", id="slon with its pid"),
        pytest.param("2026-03-29 04:57:30 CEST ", id="slon in summer"),
        pytest.param("2026-03-29T11:57:30+0900 ", id="ISO 8601"),
        pytest.param("2026-03-29_02:57:30.12345 ", id="svlogd -tt"),
        pytest.param("@4000000069c895242b0c5a14 ", id="multilog t"),
        pytest.param("2026-03-29 13:42:30 QQT ", id="a zone that only the file's time explains"),
    ],
)
def test_times_are_read_in_many_spellings(log: Log, prefix: str) -> None:
    log.write(f"{prefix}FATAL  {STATEMENT}{WORDINGS['new']}", at=RECENT)

    assert str(log.refused()).startswith(REFUSED)
    assert not log.refused(now=NOW + timedelta(minutes=13))


def test_times_without_a_zone_are_the_hosts(tmp_path: Path) -> None:
    """Both slon's log_timestamp_format and syslog write local time; here that of Tokyo."""
    code = """
import os, sys, time
from datetime import UTC, datetime
from pathlib import Path
os.environ["TZ"] = "Asia/Tokyo"
time.tzset()
from pytest_yakei.probes.slony.stamps import Stamps
stamps = Stamps(datetime(2026, 1, 2, tzinfo=UTC))
for line in ("2026-01-01 11:00:00 FATAL  x", "2026-01-01 11:00:00 JST FATAL  x",
             "Dec 31 11:00:00 db01 slon[12]: FATAL  x"):
    print(stamps.of(line).strftime("%Y-%m-%d %H"))
"""
    assert run_python(code).splitlines() == ["2026-01-01 02", "2026-01-01 02", "2025-12-31 02"]


def test_without_times_only_what_came_since_the_last_run_is_new(log: Log) -> None:
    log.write(f"FATAL  {STATEMENT}{WORDINGS['new']}", *["INFO   SYNC done"] * 1000)

    assert not log.refused()

    log.write(f"FATAL  {STATEMENT}{WORDINGS['old']}", at=RECENT)

    assert str(log.refused()).startswith(REFUSED)


def test_without_times_a_refusal_is_told_until_its_window_has_passed(log: Log) -> None:
    log.refused()
    log.write(f"FATAL  {STATEMENT}{WORDINGS['new']}", at=RECENT)
    first = log.refused()
    log.write("INFO   SYNC done", at=NOW + timedelta(minutes=5))

    assert first
    assert log.refused(now=NOW + timedelta(minutes=5))
    assert not log.refused(now=NOW + timedelta(minutes=13))


def test_without_times_the_last_words_of_a_log_are_as_old_as_the_file(log: Log) -> None:
    log.write(f"FATAL  {STATEMENT}{WORDINGS['new']}", *AFTERWARDS, at=RECENT)

    assert str(log.refused()).startswith(REFUSED)


def test_a_log_that_was_rotated_is_read_from_its_beginning(log: Log) -> None:
    log.write(*["INFO   SYNC done"] * 1000)
    log.refused()
    log.path.rename(log.path.with_suffix(".1"))
    log.write(f"FATAL  {STATEMENT}{WORDINGS['new']}", *["INFO   SYNC done"] * 2000, at=RECENT)

    assert str(log.refused()).startswith(REFUSED)

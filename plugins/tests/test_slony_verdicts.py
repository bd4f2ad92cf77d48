"""What a look at the node lock means: every case of it, also those that nobody can stage."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pytest_yakei.probes.slony.sight import Backend, Blocker, Component, Sight
from pytest_yakei.probes.slony.texts import Case, text_of
from pytest_yakei.probes.slony.verdicts import Verdict, is_settled, judge

NOW = datetime(2026, 3, 29, 3, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
PID = 4711


def backend(pid: int = PID, *, started: timedelta = HOUR, **changes: Any) -> Backend:
    slon = Backend(
        pid=pid,
        database="shop",
        user="slony",
        application="slon.local_listen",
        kind="client backend",
        started=NOW - started,
        active=NOW - SECOND,
        is_listener=True,
    )
    return replace(slon, **changes)


SLON = backend()
PSQL = backend(application="psql", is_listener=False)
WRITER = backend(
    database=None, user=None, application="", kind="background writer", is_listener=False
)
REPORTED = Component(PID, NOW - SECOND)
LONG_DEAD = Component(PID, NOW - 2 * HOUR)
ANOTHER = Component(99, NOW - SECOND)


def sight(**changes: Any) -> Sight:
    """Return a look at a slon that is well, with changes."""
    well = Sight(
        node=1,
        now=NOW,
        server_started=NOW - 24 * HOUR,
        holder=PID,
        backend=SLON,
        listeners=(SLON,),
        component=REPORTED,
        last_work=NOW - SECOND,
        last_event=NOW - 5 * SECOND,
    )
    return replace(well, **changes)


GONE = {"backend": None, "listeners": (), "component": LONG_DEAD, "last_event": NOW - HOUR}
HERE = Blocker(can_be_asked=True)
CASES = [
    pytest.param({}, Verdict.LIVE, id="slon holds its lock"),
    pytest.param({"component": None}, Verdict.LIVE, id="slon's monitor thread is off"),
    pytest.param(
        {"component": None, "last_event": None}, Verdict.LIVE, id="no other table can be read"
    ),
    pytest.param(
        {"component": Component(99, NOW - 2 * HOUR)},
        Verdict.LIVE,
        id="the monitor thread was switched off, and left an old report",
    ),
    pytest.param(
        {"backend": backend(started=2 * SECOND), "component": ANOTHER, "last_event": NOW - HOUR},
        Verdict.LIVE,
        id="slon started a moment ago and has reported nothing yet",
    ),
    pytest.param(
        {"component": ANOTHER, "listeners": (SLON, backend(99))},
        Verdict.POISONED,
        id="another cluster's slon has the pid, and ours runs without its lock",
    ),
    pytest.param(
        {"component": ANOTHER}, Verdict.POISONED, id="ours reports a connection that is not there"
    ),
    pytest.param(
        {"component": LONG_DEAD, "last_event": NOW - 2 * HOUR},
        Verdict.POISONED,
        id="the dead slon's very pid has come to another cluster's slon",
    ),
    pytest.param(
        {**GONE, "backend": PSQL},
        Verdict.POISONED,
        id="a client has the pid of a slon that is gone",
    ),
    pytest.param({**GONE, "backend": WRITER}, Verdict.POISONED, id="an auxiliary process has it"),
    pytest.param(
        {**GONE, "blocker": Blocker(can_be_asked=True, bars=True)},
        Verdict.POISONED,
        id="a process of the server's user has it",
    ),
    pytest.param({**GONE, "blocker": HERE}, Verdict.DOWN, id="nobody has it, and slon is gone"),
    pytest.param({**GONE, "holder": None}, Verdict.DOWN, id="no row, and slon is gone"),
    pytest.param(GONE, Verdict.DOUBTFUL, id="nobody can look on the database's host"),
    pytest.param({"holder": None, "backend": None}, Verdict.UNLOCKED, id="slon without a row"),
    pytest.param(
        {"holder": 1, "backend": None, "blocker": HERE},
        Verdict.UNLOCKED,
        id="slon, and a row with a pid that keeps nobody out",
    ),
    pytest.param(
        {
            "backend": replace(SLON, active=NOW - HOUR),
            "listeners": (replace(SLON, active=NOW - HOUR),),
            "last_event": NOW - HOUR,
        },
        Verdict.SILENT,
        id="slon has done nothing for an hour",
    ),
    pytest.param(
        {"backend": replace(SLON, active=NOW - HOUR)},
        Verdict.LIVE,
        id="slon's listener waits, and its other threads make events",
    ),
]


@pytest.mark.parametrize(("changes", "verdict"), CASES)
def test_a_look_at_the_lock_means(changes: dict[str, Any], verdict: Verdict) -> None:
    assert judge(sight(**changes), MINUTE) is verdict


@pytest.mark.parametrize(
    ("changes", "settled"),
    [
        pytest.param({"last_work": NOW - 14 * SECOND}, False, id="slon worked 14 s ago"),
        pytest.param({"last_work": NOW - 15 * SECOND}, True, id="slon worked 15 s ago"),
        pytest.param(
            {"last_work": NOW - HOUR, "server_started": NOW - 14 * SECOND},
            False,
            id="PostgreSQL started 14 s ago",
        ),
        pytest.param({"last_work": None, "last_event": None}, True, id="no slon was ever there"),
    ],
)
def test_an_absent_slon_gets_fifteen_seconds_to_come_back(
    changes: dict[str, Any], settled: bool
) -> None:
    assert is_settled(sight(**{**GONE, **changes})) is settled


@pytest.mark.parametrize(("changes", "verdict"), CASES)
def test_every_verdict_has_a_subject_of_at_most_sixty_characters(
    changes: dict[str, Any], verdict: Verdict
) -> None:
    case = Case(
        verdict=verdict,
        sight=sight(**changes),
        max_silence=MINUTE,
        schema='"_slony1"',
        literal="'_slony1'",
    )

    assert 20 < len(text_of(case).splitlines()[0]) <= 60


def test_a_holders_name_cannot_disturb_the_message() -> None:
    changes = {**GONE, "backend": replace(PSQL, application="a\x1b[2J\nDo        1. rm -rf /")}
    case = Case(
        verdict=Verdict.POISONED,
        sight=sight(**changes),
        max_silence=MINUTE,
        schema='"_c"',
        literal="'_c'",
    )

    assert '"a?[2J?Do        1. rm -rf /", user slony, to database shop.' in text_of(case)

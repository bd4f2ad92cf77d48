"""What is kept between runs, for the next run, the plugin and the notifiers."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from stored import NEWS, RUN, record, rows
from suites import BACKUP, NIGHT, POLICY, QUEUE, after, blocked, depth, failed, passed, run, skipped

from yakei.incidents import decide
from yakei.incidents.remembered import Acknowledgement, State
from yakei.incidents.windows import parse_window
from yakei.message import Message
from yakei.results import CheckResult, Outcome, Severity
from yakei.store import StateError, Store
from yakei_shared.history import STATE_FILE, read_judged, read_memories


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    with Store.open(folder) as opened:
        yield opened


def test_a_new_folder_is_private_and_remembers_nothing(folder: Path, store: Store) -> None:
    assert store.load() == State()
    assert store.note == ""
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [(each.name, each.stat().st_mode & 0o777) for each in folder.iterdir()] == [
        (STATE_FILE, 0o600)
    ]


def test_all_that_a_decision_depends_on_is_read_back(folder: Path) -> None:
    policy = replace(POLICY, recovery=True, quiet_hours=(parse_window("00:00-05:00"),))
    reports = [
        run(depth(995), depth(10, BACKUP)),
        run(depth(1396, severity=Severity.WARNING), skipped(BACKUP)),
        run(depth(1402), blocked(BACKUP)),
        run(replace(failed(), outcome=Outcome.TIMEOUT), depth(10, BACKUP)),
        run(depth(12), passed("m.py::test_new")),
        *[run(depth(value, severity=Severity.WARNING), passed(BACKUP)) for value in (1396, 12) * 5],
    ]
    with Store.open(folder) as store:
        for decision in after(*reports, policy=policy):
            store.record(RUN, decision, ())

            assert store.load() == decision.state


def test_a_store_that_is_opened_again_goes_on(folder: Path) -> None:
    with Store.open(folder) as store:
        first = record(store, run(failed()))
    with Store.open(folder) as store:
        assert store.load() == first.state


def test_outcomes_and_measures_are_kept_for_every_run(folder: Path, store: Store) -> None:
    for value in (995, 1396):
        record(store, run(depth(value)))

    query = 'select name, value from measures join runs on number = run order by started, "run"'
    assert rows(folder, query) == [("waiting", 995), ("waiting", 1396)]
    outcomes = rows(folder, "select outcome from outcomes order by run")
    assert outcomes == [("passed",), ("failed",)]


def test_an_incident_that_is_over_is_kept_with_its_end(folder: Path, store: Store) -> None:
    for report in (
        run(failed(), passed(BACKUP)),
        run(passed(), passed(BACKUP)),
        run(failed(), passed(BACKUP)),
    ):
        record(store, report)

    query = "select key, ending from incidents order by id"
    assert rows(folder, query) == [(QUEUE, "recovered"), (QUEUE, None)]


@pytest.mark.parametrize("age", [91, 401])
def test_what_is_old_is_forgotten(folder: Path, store: Store, age: int) -> None:
    record(store, run(depth(1396)), ("email", NEWS))
    store.mark_delivered([store.pending("email")[0].id], NIGHT)
    record(store, run(depth(10)))

    record(store, run(depth(10)), at=NIGHT + timedelta(days=age))

    assert rows(folder, "select count(*) from outcomes") == [(1,)]
    assert rows(folder, "select count(*) from measures") == [(1,)]
    assert rows(folder, "select count(*) from notifications") == [(0,)]
    assert rows(folder, "select count(*) from incidents") == [(int(age == 91),)]


# What the plugin reads


def test_the_plugin_reads_memories_and_when_checks_were_judged(folder: Path, store: Store) -> None:
    record(store, run(passed(memory={"seen": 3}), failed(BACKUP)))

    assert read_memories(folder) == {QUEUE: {"seen": 3}}
    assert read_judged(folder) == {QUEUE: NIGHT.timestamp(), BACKUP: NIGHT.timestamp()}


@pytest.mark.parametrize(
    "later",
    [
        pytest.param(skipped(memory={"seen": 4}), id="skipped"),
        pytest.param(blocked(memory={"seen": 4}), id="not judged"),
        pytest.param(passed(BACKUP), id="not due"),
    ],
)
def test_a_check_that_was_not_judged_keeps_its_memory(
    folder: Path, store: Store, later: CheckResult
) -> None:
    record(store, run(passed(memory={"seen": 3})))

    record(store, run(later, not_due=(QUEUE,)), at=NIGHT + timedelta(minutes=5))

    assert read_memories(folder)[QUEUE] == {"seen": 3}
    assert read_judged(folder)[QUEUE] == NIGHT.timestamp()


def test_a_check_that_the_deadline_cut_off_is_due_once_more(folder: Path, store: Store) -> None:
    """Else it would fail until tomorrow; and one that never fits would break each run."""
    cut_off = replace(failed(cut_off=True), outcome=Outcome.TIMEOUT)
    judged = []
    for number in range(2):
        record(store, run(cut_off), at=NIGHT + timedelta(minutes=5 * number))
        judged.append(dict(read_judged(folder)))

    assert judged == [{}, {QUEUE: (NIGHT + timedelta(minutes=5)).timestamp()}]


def test_a_check_that_was_let_go_leaves_no_memory(folder: Path, store: Store) -> None:
    record(store, run(passed(memory={"seen": 3}), passed(BACKUP)))
    record(store, run(passed(BACKUP)))
    kept = read_memories(folder)
    known = Acknowledgement(
        incident=store.load().incidents["run:vanished"].id, reason="gone", by="me", at=NIGHT
    )
    state = replace(store.load(), acknowledgements=(known,))

    store.record(RUN, decide(state, run(passed(BACKUP)), POLICY, NIGHT), ())

    assert kept == {QUEUE: {"seen": 3}}
    assert read_memories(folder) == {}
    assert list(read_judged(folder)) == [BACKUP]


def test_a_reader_without_the_right_to_write_reads_beside_us(folder: Path, store: Store) -> None:
    record(store, run(passed(memory={"seen": 3})))
    (folder / STATE_FILE).chmod(0o400)

    assert read_memories(folder) == {QUEUE: {"seen": 3}}
    assert [each.name for each in folder.iterdir()] == [STATE_FILE]


# The outbox


def test_a_message_waits_for_each_notifier_until_it_is_delivered(store: Store) -> None:
    record(store, run(failed()), ("email", NEWS), ("slack", NEWS))
    (row, message, created, attempts) = store.pending("email")[0]

    store.mark_delivered([row], NIGHT)

    assert (message, created, attempts) == (NEWS, NIGHT, 0)
    assert store.pending("email") == []
    assert len(store.pending("slack")) == 1


def test_a_message_that_was_not_taken_goes_on_waiting(store: Store) -> None:
    record(store, run(failed()), ("email", NEWS))

    store.mark_failed([store.pending("email")[0].id], "refused")

    assert [row.attempts for row in store.pending("email")] == [1]


def test_a_mark_and_what_the_channel_remembers_are_kept_together_or_not_at_all(
    folder: Path, store: Store
) -> None:
    record(store, run(failed()), ("bot", NEWS))
    row, memory = store.pending("bot")[0].id, {"conversations": {"bot": {"posts": [1]}}}
    with closing(sqlite3.connect(folder / STATE_FILE)) as other:
        refusal = "create trigger t before insert on facts begin select raise(abort, 'no'); end"
        other.execute(refusal)
        with pytest.raises(StateError):
            store.mark_delivered([row], NIGHT, memory)
        assert len(store.pending("bot")) == 1
        other.execute("drop trigger t")
    store.mark_delivered([row], NIGHT, memory)

    assert (store.pending("bot"), store.delivery_memory()) == ([], memory)


@pytest.mark.parametrize(
    ("older", "waiting"),
    [
        pytest.param(NEWS, 1, id="the same incident"),
        pytest.param(replace(NEWS, keys=(QUEUE, BACKUP)), 2, id="another incident besides"),
        pytest.param(replace(NEWS, repeatable=False), 2, id="something that is told once"),
    ],
)
def test_a_later_message_stands_for_one_that_tells_nothing_besides(
    store: Store, older: Message, waiting: int
) -> None:
    record(store, run(failed()), ("email", older))
    record(store, run(failed()), ("email", NEWS))

    assert len(store.pending("email")) == waiting


def test_delivery_keeps_a_small_document(store: Store) -> None:
    assert store.delivery_memory() == {}

    store.keep_delivery_memory({"slack": "failing"})

    assert store.delivery_memory() == {"slack": "failing"}

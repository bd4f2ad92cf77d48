"""What people say between two runs, or during one, is kept beside what the runs write."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from spoken import SILENCE, acknowledge, silence
from stored import RUN, record, rows
from suites import BACKUP, NIGHT, POLICY, QUEUE, failed, passed, run

from yakei.incidents import decide
from yakei.store import Spoken, StateError, Store
from yakei.store.speaking import add_silence, end_silence
from yakei_shared.history import STATE_FILE

BROKEN = run(failed(), failed(BACKUP))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    with Store.open(folder) as opened:
        yield opened


def test_a_silence_is_read_back_with_the_id_it_was_given(folder: Path, store: Store) -> None:
    given = silence(folder)

    assert given == "1"
    assert store.load().silences == (SILENCE,)


def test_a_silence_made_during_a_run_counts_and_is_not_overwritten(
    folder: Path, store: Store
) -> None:
    known = store.load()
    silence(folder)
    said = store.spoken()
    store.record(RUN, decide(known, BROKEN, POLICY, NIGHT), ())

    assert said.silences == (SILENCE,)
    assert store.load().silences == (SILENCE,)


def test_a_silence_that_was_ended_is_kept_and_holds_no_more(folder: Path, store: Store) -> None:
    silence(folder)
    ended = end_silence(folder, "1", by="typester", at=NIGHT + timedelta(hours=1))

    assert ended
    assert store.spoken() == Spoken()
    assert rows(folder, "select ended_by from silences") == [("typester",)]


@pytest.mark.parametrize(
    ("given", "hours"),
    [
        pytest.param("2", 0, id="there is none of this id"),
        pytest.param("1", 3, id="its time is over"),
        pytest.param("1 or 1", 0, id="no id at all"),
    ],
)
def test_only_a_silence_in_force_can_be_ended(
    folder: Path, store: Store, given: str, hours: int
) -> None:
    silence(folder)

    assert not end_silence(folder, given, by="typester", at=NIGHT + timedelta(hours=hours))


def test_an_id_is_never_given_again(folder: Path, store: Store) -> None:
    silence(folder)
    record(store, run(passed()), at=NIGHT + timedelta(days=100))

    assert store.spoken() == Spoken()
    assert silence(folder) == "2"


def test_the_last_acknowledgement_of_an_open_incident_counts(folder: Path, store: Store) -> None:
    record(store, BROKEN)
    acknowledge(folder, QUEUE)
    said = acknowledge(folder, QUEUE)

    assert store.load().acknowledgements == (said,)
    assert rows(folder, "select count(*) from acknowledgements") == [(2,)]


def test_an_acknowledgement_ends_with_its_incident(folder: Path, store: Store) -> None:
    record(store, BROKEN)
    acknowledge(folder)
    record(store, run(passed(), passed(BACKUP)))
    record(store, BROKEN, at=NIGHT + timedelta(minutes=5))

    assert store.load().acknowledgements == ()


@pytest.mark.parametrize("days", [89, 101])
def test_what_was_said_is_kept_as_long_as_the_outcomes(
    folder: Path, store: Store, days: int
) -> None:
    record(store, BROKEN)
    silence(folder)
    acknowledge(folder)
    record(store, run(passed(), passed(BACKUP)))
    record(store, run(passed(), passed(BACKUP)), at=NIGHT + timedelta(days=days))

    kept = int(days == 89)
    assert rows(folder, "select count(*) from silences") == [(kept,)]
    assert rows(folder, "select count(*) from acknowledgements") == [(kept,)]


def test_the_acknowledgement_of_an_open_incident_is_kept_however_old_it_is(
    folder: Path, store: Store
) -> None:
    record(store, BROKEN)
    said = acknowledge(folder)
    record(store, BROKEN, at=NIGHT + timedelta(days=500))

    assert store.spoken().acknowledgements == (said,)


def test_where_there_is_no_state_none_is_made(folder: Path) -> None:
    with pytest.raises(StateError, match="it cannot be opened"):
        add_silence(folder, SILENCE)

    assert not folder.exists()


def test_a_damaged_state_is_left_for_the_next_run(folder: Path) -> None:
    """Who speaks may be root, and a new file of root's would stop the runs of cron's user."""
    folder.mkdir()
    (folder / STATE_FILE).write_bytes(b"no database")

    with pytest.raises(StateError, match="the next run sets it aside"):
        add_silence(folder, SILENCE)

    assert [each.name for each in folder.iterdir()] == [STATE_FILE]


def test_a_damaged_silence_is_damage_and_stops_no_run(folder: Path, store: Store) -> None:
    silence(folder)
    with closing(sqlite3.connect(folder / STATE_FILE)) as database:
        database.execute("update silences set until = 'tomorrow'")
        database.commit()

    with pytest.raises(StateError, match="it is damaged: a row cannot be read"):
        store.spoken()
    assert store.load() == replace(store.load(), silences=())
    assert "had to be rebuilt" in store.note


def test_a_clock_that_is_set_back_a_day_ends_no_silence_and_loses_nothing(
    folder: Path, store: Store
) -> None:
    record(store, BROKEN)
    silence(folder)
    acknowledgement = acknowledge(folder)
    record(store, BROKEN, at=NIGHT - timedelta(days=1))

    said = store.spoken()
    assert (said.silences, said.acknowledgements) == ((SILENCE,), (acknowledgement,))
    assert rows(folder, "select count(*) from runs") == [(2,)]


def test_runs_and_people_who_write_at_once_lose_nothing(folder: Path) -> None:
    Store.open(folder).close()

    def run_once(number: int) -> None:
        with Store.open(folder) as store:
            record(store, BROKEN, at=NIGHT + timedelta(minutes=number))

    with ThreadPoolExecutor(8) as pool:
        runs = [pool.submit(run_once, number) for number in range(20)]
        said = [pool.submit(silence, folder, f"m.py::test_{number}") for number in range(20)]
        for each in (*runs, *said):
            each.result()

    assert rows(folder, "select count(*) from runs") == [(20,)]
    assert rows(folder, "select count(distinct pattern) from silences") == [(20,)]

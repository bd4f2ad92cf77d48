"""Where the state cannot be written, runs go on elsewhere until it can be."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from spoken import SILENCE, silence
from stored import NEWS, RUN
from suites import NIGHT, POLICY, QUEUE, failed, minutes, passed, run

from yakei.incidents import Decision, decide
from yakei.message import Message
from yakei.store import StateError, makeshift
from yakei.store.lasting import LastingStore
from yakei.store.retention import Retention
from yakei_shared.history import STATE_FILE, read_judged, read_memories

LATER = NIGHT + minutes(5)


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the only place in which runs can go on."""
    place = tmp_path / "shm"
    place.mkdir()
    monkeypatch.setattr(makeshift, "_MEMORY", place)
    monkeypatch.setattr("tempfile.tempdir", str(place))
    monkeypatch.setattr("yakei.store.statefile.BUSY", 0.1)
    return place


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


@contextmanager
def opened(folder: Path) -> Iterator[LastingStore]:
    with LastingStore(folder, folder / "yakei.toml", Retention()) as store:
        yield store


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep the state from being written, though it can be read."""
    with closing(sqlite3.connect(folder / STATE_FILE)) as other:
        other.execute("begin immediate")
        yield


def recorded(folder: Path, at: datetime, *outbox: tuple[str, Message]) -> tuple[Decision, str]:
    """Record a failing run, and return what was decided and is said of the state."""
    with opened(folder) as store:
        decision = decide(store.load(), run(failed()), POLICY, at)
        store.record(RUN._replace(started=at, ended=at), decision, outbox)
        return decision, store.note


def test_a_state_that_can_be_written_needs_no_other(folder: Path, memory: Path) -> None:
    _, note = recorded(folder, NIGHT)

    assert (note, list(memory.iterdir())) == ("", [])


def test_a_state_that_cannot_be_opened_is_told_and_the_runs_remember(folder: Path) -> None:
    folder.write_text("")
    (first, _), (second, note) = recorded(folder, NIGHT), recorded(folder, LATER)

    assert [len(each.notices) for each in (first, second)] == [1, 0]
    assert note.startswith(f"state {folder / STATE_FILE}: ")
    assert "; what happens meanwhile is kept in " in note


def test_it_is_told_in_the_same_words_until_it_can_be_written(folder: Path) -> None:
    recorded(folder, NIGHT)
    with held(folder):
        notes = [recorded(folder, LATER + minutes(number))[1] for number in range(3)]
    _, after = recorded(folder, LATER + minutes(3))

    assert notes[0].startswith(f"state {folder / STATE_FILE}: another process has been writing")
    assert (set(notes), after) == ({notes[0]}, "")


def test_what_could_not_be_foreseen_is_told_by_the_next_run(folder: Path) -> None:
    recorded(folder, NIGHT)
    with opened(folder) as store:
        decision = decide(store.load(), run(failed()), POLICY, LATER)
        with held(folder):
            store.record(RUN._replace(started=LATER, ended=LATER), decision, ())
    notes = []
    for number in (5, 10):
        with opened(folder) as store:
            decision = decide(store.load(), run(failed()), POLICY, LATER + minutes(number))
            notes.append(store.note)
            at = LATER + minutes(number)
            store.record(RUN._replace(started=at, ended=at), decision, ())

    assert "another process has been writing" in notes[0]
    assert notes[1] == ""


def test_what_kept_it_from_being_opened_is_over_when_it_can_be(folder: Path) -> None:
    folder.write_text("")
    _, before = recorded(folder, NIGHT)
    folder.unlink()
    _, after = recorded(folder, LATER)

    assert (bool(before), after) == (True, "")


def test_a_state_that_was_rebuilt_meanwhile_is_told_too(folder: Path) -> None:
    recorded(folder, NIGHT)
    with opened(folder) as store:
        decision = decide(store.load(), run(failed()), POLICY, LATER)
        with held(folder):
            store.record(RUN._replace(started=LATER, ended=LATER), decision, ())
    (folder / STATE_FILE).write_bytes(b"no database " * 99)
    with opened(folder) as store:
        store.load()
        note = store.note

    assert note.startswith("state had to be rebuilt: ")
    assert "another process has been writing" in note


def test_where_memory_takes_nothing_the_temporary_folder_does(
    folder: Path, memory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (next(makeshift.places(folder)) / STATE_FILE).mkdir(parents=True)
    folder.write_text("")
    notes = [recorded(folder, at)[1] for at in (NIGHT, LATER)]

    assert f"; what happens meanwhile is kept in {tmp_path}/yakei-" in notes[0]
    assert notes[0] == notes[1]


def test_what_was_not_delivered_meanwhile_is_there_when_it_can_be_written(
    folder: Path, memory: Path
) -> None:
    recorded(folder, NIGHT)
    with held(folder):
        recorded(folder, LATER, ("email", NEWS))
    with opened(folder) as store:
        decision = decide(store.load(), run(failed()), POLICY, LATER + minutes(5))
        store.record(RUN, decision, ())
        waiting = store.pending("email")

    assert [each.message for each in waiting] == [NEWS]
    assert decision.state.incidents[QUEUE].runs == 3
    assert not list(memory.rglob(STATE_FILE))


def test_what_people_have_said_counts_also_then(folder: Path) -> None:
    recorded(folder, NIGHT)
    silence(folder)
    with held(folder):
        recorded(folder, LATER)
        with opened(folder) as store:
            assert store.load().silences == (SILENCE,)
            assert store.spoken().silences == (SILENCE,)


def test_what_stood_in_before_our_own_last_run_is_not_believed(folder: Path, memory: Path) -> None:
    recorded(folder, NIGHT)
    with held(folder):
        recorded(folder, LATER)
    place = makeshift.existing(folder)
    assert place
    kept = (place / STATE_FILE).read_bytes()
    recorded(folder, LATER + minutes(5))
    assert next(makeshift.places(folder)) == place
    place.mkdir()
    (place / STATE_FILE).write_bytes(kept)

    decision, note = recorded(folder, LATER + minutes(10))

    assert (decision.state.incidents[QUEUE].runs, note) == (4, "")


def test_somebody_elses_place_is_not_used(folder: Path, memory: Path) -> None:
    folder.write_text("")
    place = next(makeshift.places(folder))
    place.parent.chmod(0o777)

    with opened(folder) as store, pytest.raises(StateError, match=r"File exists|Not a directory"):
        store.load()


def test_a_recovery_is_told_once_when_it_was_recorded_elsewhere(folder: Path) -> None:
    policy = replace(POLICY, recovery=True)
    recorded(folder, NIGHT)
    told = []
    for number in range(3):
        with held(folder) if number < 2 else nullcontext(), opened(folder) as store:
            at = LATER + timedelta(minutes=number)
            decision = decide(store.load(), run(passed()), policy, at)
            store.record(RUN._replace(started=at, ended=at), decision, ())
            told.append(len(decision.notices))

    assert told == [1, 0, 0]


def test_a_damaged_place_costs_nothing_but_what_it_knew(folder: Path) -> None:
    recorded(folder, NIGHT)
    with held(folder):
        recorded(folder, LATER)
    place = makeshift.existing(folder)
    assert place
    (place / STATE_FILE).write_bytes(b"no database " * 99)
    decision, note = recorded(folder, LATER + minutes(5))

    assert (decision.state.incidents[QUEUE].runs, note) == (2, "")
    assert makeshift.existing(folder) is None


def test_what_checks_remember_goes_on_elsewhere_and_comes_back(folder: Path) -> None:
    """Else a stalled queue passes, and what is due once a day runs each time, on a full disk."""
    recorded(folder, NIGHT)
    result = passed(memory={"mark": 7})
    with held(folder), opened(folder) as store:
        decision = decide(store.load(), run(result), POLICY, LATER)
        store.record(RUN._replace(started=LATER, ended=LATER), decision, ())
    with opened(folder) as store:
        state, place = store.load(), store.elsewhere
        assert place is not None
        assert read_memories(place) == {QUEUE: {"mark": 7}}
        decision = decide(state, run(not_due=(QUEUE,)), POLICY, LATER + minutes(5))
        store.record(RUN._replace(started=LATER + minutes(5)), decision, ())

    assert read_memories(folder) == {QUEUE: {"mark": 7}}
    assert read_judged(folder)[QUEUE] == LATER.timestamp()

"""What becomes of a state file that is damaged."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spoken import SILENCE, silence
from stored import NEWS, RUN, record
from suites import BACKUP, NIGHT, POLICY, QUEUE, failed, run, skipped

from yakei.incidents import decide
from yakei.incidents.remembered import State
from yakei.store import StateError, Store
from yakei_shared.history import STATE_FILE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


def truncated(size: int) -> Any:
    return lambda path: os.truncate(path, size)


def of_a_newer_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("pragma user_version = 99")


def of_another_program(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as database:
        database.execute("create table memory (other text)")


def without_a_table(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("drop table facts")


def with_a_document_that_is_none(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("update incidents set document = '{\"key\": 7}'")
        database.commit()


damages = pytest.mark.parametrize(
    "damage",
    [
        pytest.param(truncated(0), id="empty"),
        pytest.param(truncated(100), id="cut off in its first page"),
        pytest.param(truncated(3 * 4096), id="cut off later"),
        pytest.param(lambda path: path.write_bytes(b"no database " * 999), id="no database"),
        pytest.param(of_a_newer_version, id="of a newer version"),
        pytest.param(of_another_program, id="of another program"),
        pytest.param(without_a_table, id="without a table"),
        pytest.param(with_a_document_that_is_none, id="with a document that is none"),
    ],
)


@damages
def test_a_damaged_state_is_kept_aside_and_told_once(folder: Path, damage: Any) -> None:
    with Store.open(folder) as store:
        record(store, run(failed()))
    damage(folder / STATE_FILE)

    with Store.open(folder) as store:
        decision = record(store, run(failed()))
        note = store.note
    with Store.open(folder) as store:
        assert store.load() == decision.state
        assert store.note == ""
    assert note.startswith("state had to be rebuilt: ")
    assert f"kept as {folder / STATE_FILE}.corrupt" in note
    assert (folder / f"{STATE_FILE}.corrupt").exists()


@pytest.mark.parametrize(
    "damage", [of_a_newer_version, with_a_document_that_is_none, without_a_table]
)
def test_what_nobody_would_say_again_is_taken_out_of_it(folder: Path, damage: Any) -> None:
    with Store.open(folder) as store:
        record(store, run(failed()), ("email", NEWS))
    given = silence(folder)
    damage(folder / STATE_FILE)

    with Store.open(folder) as store:
        assert store.load().silences == (replace(SILENCE, id=given),)
        assert [each.message for each in store.pending("email")] == [NEWS]
        assert store.note.endswith(" (1 silences and 1 waiting messages could be saved)")


def test_of_what_is_damaged_itself_nothing_is_taken(folder: Path) -> None:
    Store.open(folder).close()
    silence(folder)
    with closing(sqlite3.connect(folder / STATE_FILE)) as database:
        database.execute("update silences set until = 'tomorrow'")
        database.commit()

    for _ in range(2):
        with Store.open(folder) as store:
            assert store.load() == State()
    assert len(list(folder.glob("*.corrupt*"))) == 1


def test_a_note_is_not_lost_when_the_run_dies_before_it_is_told(folder: Path) -> None:
    folder.mkdir()
    (folder / STATE_FILE).write_bytes(b"no database")

    Store.open(folder).close()
    with Store.open(folder) as store:
        store.load()

        assert "had to be rebuilt" in store.note


def test_every_damaged_state_is_kept(folder: Path) -> None:
    folder.mkdir()
    for _ in range(3):
        (folder / STATE_FILE).write_bytes(b"no database")
        Store.open(folder).close()

    kept = sorted(each.name.partition(".corrupt")[2] for each in folder.glob("*.corrupt*"))
    assert kept == ["", "-2", "-3"]


def test_damage_that_is_met_while_recording_costs_nothing_of_the_run(folder: Path) -> None:
    with Store.open(folder) as store:
        decision = decide(store.load(), run(failed()), POLICY, NIGHT)
        with closing(sqlite3.connect(folder / STATE_FILE)) as other:
            other.execute("drop table outcomes")

        store.record(RUN, decision, [("email", NEWS)])

        assert store.load() == decision.state
        assert len(store.pending("email")) == 1
    with Store.open(folder) as store:
        store.load()
        assert "had to be rebuilt" in store.note


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.floats(0, 0.999), st.binary(min_size=1, max_size=40)), min_size=1))
def test_no_damage_stops_a_run(tmp_path: Path, wounds: list[tuple[float, bytes]]) -> None:
    folder = tmp_path / "state"
    shutil.rmtree(folder, ignore_errors=True)
    with Store.open(folder) as store:
        record(store, run(failed(memory={"seen": 3}), skipped(BACKUP)), ("email", NEWS))
    with (folder / STATE_FILE).open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        for place, wound in wounds:
            file.seek(int(place * size))
            file.write(wound)

    with Store.open(folder) as store:
        decision = record(store, run(failed()), ("email", NEWS))

        assert QUEUE in decision.state.incidents
        with suppress(StateError):  # what still waited may be what was damaged
            assert store.pending("email")

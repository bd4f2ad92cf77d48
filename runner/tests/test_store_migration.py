"""A state of an earlier version goes on with all that is in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from spoken import SILENCE, acknowledge, silence
from stored import record, rows
from suites import BACKUP, NIGHT, QUEUE, depth, passed, run

from yakei.store import Store
from yakei.store.tables import VERSION
from yakei.store.viewing import View
from yakei_shared.history import STATE_FILE, read_memories

VERSION_1 = Path(__file__).parent / "states" / "version_1.sql"
LATER = NIGHT + timedelta(minutes=15)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a state folder as the first version has left it."""
    made = tmp_path / "state"
    made.mkdir()
    with closing(sqlite3.connect(made / STATE_FILE)) as database:
        database.executescript(VERSION_1.read_text(encoding="utf-8"))
    return made


def test_all_that_was_remembered_is_there(folder: Path) -> None:
    with Store.open(folder) as store:
        state = store.load()

        assert store.note == ""
        assert (state.incidents[QUEUE].runs, state.population) == (1, (QUEUE, BACKUP))
        assert state.last_run == NIGHT + timedelta(minutes=10)
        assert [len(store.pending(each)) for each in ("email", "slack")] == [1, 0]
    assert read_memories(folder) == {QUEUE: {"seen": 3}}
    assert rows(folder, "select count(*) from outcomes") == [(6,)]


def test_an_incident_that_goes_on_keeps_the_name_it_is_given(folder: Path) -> None:
    with Store.open(folder) as store:
        name = store.load().incidents[QUEUE].id
        record(store, run(depth(1402), passed(BACKUP)), at=LATER)

    assert len(name) == 6
    assert rows(folder, "select name from incidents where closed is null") == [(name,)]


def test_who_was_told_of_earlier_incidents_is_known(folder: Path) -> None:
    with Store.open(folder):
        pass
    with View(folder) as view:
        over, opened = view.incidents(None)

        assert (over.ending, view.deliveries(over)) == ("recovered", ())
        email, slack = view.deliveries(opened)
    assert (email.attempts, email.error, email.delivered) == (1, "connection refused", None)
    assert slack.delivered == NIGHT + timedelta(minutes=11)


def test_people_can_speak_at_once(folder: Path) -> None:
    silence(folder)
    said = acknowledge(folder, QUEUE)

    with Store.open(folder) as store:
        assert store.load().silences == (SILENCE,)
        assert store.load().acknowledgements == (said,)


def test_who_only_looks_changes_nothing(folder: Path) -> None:
    before = (folder / STATE_FILE).read_bytes()
    with View(folder) as view:
        assert view.state(Path("yakei.toml")).incidents[QUEUE].id

    assert (folder / STATE_FILE).read_bytes() == before


def test_a_vanished_check_of_before_is_still_noticed(folder: Path) -> None:
    with Store.open(folder, configuration=Path("/srv/shop/yakei.toml")) as store:
        decision = record(store, run(passed()), at=LATER)

    assert decision.vanished == (BACKUP,)


def test_two_that_open_it_at_once_bring_it_up_to_date_once(folder: Path) -> None:
    def opened(_: int) -> str:
        with Store.open(folder) as store:
            return store.note

    with ThreadPoolExecutor(8) as pool:
        notes = set(pool.map(opened, range(8)))

    assert notes == {""}
    assert rows(folder, "pragma user_version") == [(VERSION,)]


@pytest.mark.parametrize("query", ["pragma table_info({})", "pragma index_list({})"])
def test_its_tables_are_those_of_a_new_one(folder: Path, tmp_path: Path, query: str) -> None:
    Store.open(folder).close()
    Store.open(tmp_path / "new").close()
    tables = rows(folder, "select name from sqlite_master where type = 'table' order by name")

    def shape(place: Path, of: Callable[[tuple[object, ...]], object]) -> dict[str, object]:
        return {
            name: sorted(str(of(row)) for row in rows(place, query.format(name)))
            for (name,) in tables
        }

    def without_number(row: tuple[object, ...]) -> object:
        return row[1:3]

    assert shape(folder, without_number) == shape(tmp_path / "new", without_number)


def test_a_first_version_that_is_damaged_is_set_aside(folder: Path) -> None:
    with closing(sqlite3.connect(folder / STATE_FILE)) as database:
        database.execute("update incidents set document = '[]'")
        database.commit()
    with Store.open(folder) as store:
        assert store.note.startswith("state had to be rebuilt: a row cannot be read: TypeError")
    assert (folder / f"{STATE_FILE}.corrupt").exists()

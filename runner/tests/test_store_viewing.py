"""What is and what was, read without a right to write."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from stored import NEWS, record
from suites import BACKUP, NIGHT, QUEUE, depth, failed, minutes, passed, run
from test_store_failures import run_python

from yakei.incidents.remembered import Reason, State
from yakei.message import Item
from yakei.results import Severity
from yakei.store import StateError, Store
from yakei.store.naming import named
from yakei.store.viewing import View
from yakei_shared.history import STATE_FILE

CONFIGURATION = Path("/srv/shop/yakei.toml")
ITEM = Item(
    incident="",
    key=QUEUE,
    reason=Reason.NEW,
    label="queue analyze_page",
    fact="1396 waiting",
    severity=Severity.CRITICAL,
    since=NIGHT,
)
LOOK_AS_ROBBED_ROOT = """
import sys
from pathlib import Path
from yakei.store import StateError
from yakei.store.naming import named
from yakei.store.viewing import View
try:
    with View(Path(sys.argv[1])) as view:
        print(len(view.incidents(None)))
except StateError as error:
    print(error)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_where_there_is_no_state_nothing_is_known_and_none_is_made(folder: Path) -> None:
    with View(folder) as view:
        assert view.state(CONFIGURATION) == State()
        assert (view.incidents(None), view.waiting(), view.checks()) == ((), (), ())
    assert not folder.exists()


def test_incidents_are_those_that_were_within_the_time(folder: Path) -> None:
    with Store.open(folder) as store:
        for number, report in enumerate((failed(), passed(), failed())):
            record(store, run(report, failed(BACKUP)), at=NIGHT + timedelta(days=number))
    with View(folder) as view:
        found = view.incidents(NIGHT + timedelta(days=1.5))
        everything = view.incidents(None)

    assert [(each.incident.key, each.ending) for each in found] == [(BACKUP, ""), (QUEUE, "")]
    assert [each.ending for each in everything] == ["recovered", "", ""]
    assert everything[0].closed == NIGHT + timedelta(days=1)


def test_deliveries_are_told_with_their_reason_and_what_became_of_them(folder: Path) -> None:
    news = replace(NEWS, items=(ITEM,))
    with Store.open(folder) as store:
        record(store, run(failed()), ("email", news), ("slack", news))
        store.mark_delivered([store.pending("slack")[0].id], NIGHT + minutes(1))
        store.mark_failed([store.pending("email")[0].id], "connection refused")
    with View(folder) as view:
        (incident,) = view.incidents(None)
        email, slack = view.deliveries(incident)
        (waiting,) = view.waiting()

    assert (slack.reason, slack.delivered, slack.attempts) == ("new", NIGHT + minutes(1), 1)
    assert (email.error, email.delivered, bool(email.tried)) == ("connection refused", None, True)
    assert (waiting.notifier, waiting.messages, waiting.since) == ("email", 1, NIGHT)


def test_another_incident_of_the_same_check_has_deliveries_of_its_own(folder: Path) -> None:
    with Store.open(folder) as store:
        for number, report in enumerate((failed(), passed(), failed())):
            at = NIGHT + minutes(5 * number)
            news = [("email", replace(NEWS, created=at))] if number != 1 else []
            record(store, run(report), *news, at=at)
    with View(folder) as view:
        found = [len(view.deliveries(each)) for each in view.incidents(None)]

    assert found == [1, 1]


def test_deliveries_are_found_by_the_incident_though_the_clock_was_set_back(folder: Path) -> None:
    with Store.open(folder) as store:
        name = named(record(store, run(failed())).state.incidents[QUEUE])
        news = replace(
            NEWS, created=NIGHT - timedelta(days=1), items=(replace(ITEM, incident=name),)
        )
        record(store, run(failed()), ("email", news), at=NIGHT - timedelta(days=1))
    with View(folder) as view:
        (incident,) = view.incidents(None)

        assert len(view.deliveries(incident)) == 1


def test_outcomes_and_measures_of_a_check_are_in_order(folder: Path) -> None:
    with Store.open(folder) as store:
        for number, value in enumerate((12, 995, 1396)):
            record(store, run(depth(value), passed(BACKUP)), at=NIGHT + minutes(5 * number))
    with View(folder) as view:
        outcomes = view.outcomes(QUEUE, NIGHT + minutes(5))
        measures = view.measures(QUEUE, NIGHT)

    assert [each.outcome for each in outcomes] == ["passed", "failed"]
    assert [each.measure.value for each in measures] == [12, 995, 1396]
    assert outcomes[-1].fact == "waiting: 1396 rows (limit: below 1000)"


def test_a_damaged_state_is_said_and_left_for_the_next_run(folder: Path) -> None:
    Store.open(folder).close()
    (folder / STATE_FILE).write_bytes(b"no database " * 999)

    with pytest.raises(StateError, match="the next run sets it aside, and begins a new one"):
        View(folder)
    assert [each.name for each in folder.iterdir()] == [STATE_FILE]


@pytest.mark.server
@pytest.mark.parametrize(("mode", "said"), [(0o555, "1"), (0o000, "Permission denied")])
def test_the_right_to_read_is_enough(folder: Path, mode: int, said: str) -> None:
    with Store.open(folder) as store:
        record(store, run(failed()))
    (folder / STATE_FILE).chmod(0o444)
    folder.chmod(mode)
    with run_python(
        LOOK_AS_ROBBED_ROOT, folder, "setpriv", "--bounding-set=-all", "--inh-caps=-all"
    ) as process:
        answer = process.communicate(timeout=20)[0]

    assert answer.strip().endswith(said)

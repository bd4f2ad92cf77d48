"""`yakei incidents` says what was: when, how long, how it ended, and who was told."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta

from operators import Operator, a_bad_night, ago, happened, name_of
from repository import Repository
from suites import BACKUP, QUEUE, depth, failed, passed, run

from yakei.incidents.remembered import Acknowledgement
from yakei.store.speaking import add_acknowledgement

CLOCK = r"(?:[\d-]{10} )?\d\d:\d\d"


def test_an_incident_that_is_over_is_told_with_its_end(
    repository: Repository, operator: Operator
) -> None:
    a_bad_night(repository)
    said = operator("incidents").stdout.splitlines()
    over = next(number for number, line in enumerate(said) if "recovered" in line)

    assert said[over - 1] == "[CRIT] queue analyze_page: waiting: 1396 rows (limit: below 1000)"
    assert re.match(
        rf"       \w{{6}}, {CLOCK} to {CLOCK} \+0000 \(60 min\), 1 run: recov", said[over]
    )
    assert said[-1] == "3 incidents in the last 7d, 2 of them open"


def test_the_newest_comes_first(repository: Repository, operator: Operator) -> None:
    a_bad_night(repository)
    heads = [each for each in operator("incidents").stdout.splitlines() if each[0] == "["]

    assert ["2210" in each for each in heads] == [True, False, False]


def test_how_far_back_it_looks_can_be_said(repository: Repository, operator: Operator) -> None:
    happened(
        repository,
        (ago(days=30), run(failed())),
        (ago(days=20), run(passed())),
        (ago(days=1), run(passed())),
    )
    counts = [
        operator("incidents", *arguments).stdout.splitlines()[-1]
        for arguments in ((), ("--since", "25d"), ("--all",))
    ]

    assert counts == ["no incident in the last 7d", "1 incident in the last 25d", "1 incident"]


def test_who_acknowledged_an_incident_that_is_over_is_known(
    repository: Repository, operator: Operator
) -> None:
    happened(repository, (ago(hours=2), run(failed())))
    name = name_of(repository, QUEUE)
    said = Acknowledgement(incident=name, reason="on it", by="dba", at=ago(hours=2))
    add_acknowledgement(repository.state, said)
    happened(repository, (ago(hours=1), run(passed())))

    assert "acknowledged by dba " in operator("incidents").stdout


def test_programs_read_every_delivery(repository: Repository, operator: Operator) -> None:
    a_bad_night(repository)
    found = json.loads(operator("incidents", "--json").stdout)
    (over,) = (each for each in found["incidents"] if each["ending"])

    assert (found["version"], over["key"], over["ending"]) == (1, QUEUE, "recovered")
    assert over["worst"]["value"] == 1396
    (sent,) = over["deliveries"]
    later = datetime.fromisoformat(sent["delivered"]) - datetime.fromisoformat(over["opened"])
    assert later == timedelta(minutes=1)
    assert (sent["notifier"], sent["attempts"], sent["error"]) == ("email", 1, None)


def test_a_check_that_was_taken_out_is_told_as_removed(
    repository: Repository, operator: Operator
) -> None:
    both = run(depth(10), failed(BACKUP))
    happened(repository, (ago(hours=2), both), (ago(hours=1), run(depth(10))))

    assert ": removed" in operator("incidents").stdout


def test_a_time_that_is_none_is_refused_in_one_line(operator: Operator) -> None:
    ran = operator("incidents", "--since", "yesterday")

    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.startswith("yakei: --since: expected a duration such as ")

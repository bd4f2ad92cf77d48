"""`yakei ack` keeps that somebody knows of an incident."""

from __future__ import annotations

import pytest
from operators import Operator, a_bad_night, name_of
from repository import Repository
from stored import rows
from suites import BACKUP, QUEUE


@pytest.fixture
def night(repository: Repository) -> Repository:
    a_bad_night(repository)
    return repository


def kept(repository: Repository) -> list[tuple[str, str]]:
    """Return the incident and the reason of every acknowledgement in the state."""
    query = "select incident, reason from acknowledgements order by id"
    return [tuple(row) for row in rows(repository.state, query)]


def written(night: Repository, how: str) -> str:
    """Return one way to name the incident of the queue."""
    name = name_of(night, QUEUE)
    ways = {"id": name, "prefix": name[:4], "label": "queue analyze_page", "key": QUEUE}
    return ways.get(how, how)


@pytest.mark.parametrize("how", ["id", "prefix", "key", "label", "*queues*", "*[analyze_page]"])
def test_an_incident_is_named_as_far_as_it_is_clear(
    night: Repository, operator: Operator, how: str
) -> None:
    ran = operator("ack", written(night, how), "--reason", "on it", "--by", "dba")

    name = name_of(night, QUEUE)
    assert (ran.code, ran.stderr) == (0, "")
    assert ran.stdout == (
        f"acknowledged {name} (queue analyze_page): waiting: 2210 rows (limit: below 1000)\n"
        "by dba: on it; no more reminders until it recovers\n"
    )
    assert kept(night) == [(name, "on it")]


def test_what_could_be_two_is_refused_with_both(night: Repository, operator: Operator) -> None:
    ran = operator("ack", "monitors/*", "--reason", "on it")

    both = f"{name_of(night, BACKUP)} (backup export), {name_of(night, QUEUE)} (queue analyze_page)"
    assert (ran.code, ran.stdout, kept(night)) == (2, "", [])
    assert ran.stderr == f"yakei: ack: monitors/* could be any of {both}\n"


@pytest.mark.parametrize("unknown", ["zzzzzzz", "", "m.py::test_other"])
def test_what_is_not_open_is_refused_with_what_is(
    night: Repository, operator: Operator, unknown: str
) -> None:
    ran = operator("ack", unknown, "--reason", "on it")

    assert (ran.code, ran.stdout, kept(night)) == (2, "", [])
    assert f"; open: {name_of(night, BACKUP)} (backup export), " in ran.stderr


def test_without_a_reason_it_is_refused(night: Repository, operator: Operator) -> None:
    ran = operator("ack", QUEUE)

    assert (ran.code, ran.stdout, kept(night)) == (2, "", [])
    assert ran.stderr == (
        'yakei: ack: a reason is missing: yakei ack INCIDENT --reason "calling the provider"\n'
    )


def test_the_last_one_counts(night: Repository, operator: Operator) -> None:
    for reason in ("on it", "mended, wait for the next run"):
        operator("ack", QUEUE, "--reason", reason)

    assert "mended, wait for the next run" in operator("status").stdout
    assert len(kept(night)) == 2


def test_before_the_first_run_nothing_is_open(repository: Repository, operator: Operator) -> None:
    ran = operator("ack", QUEUE, "--reason", "on it")

    assert (ran.code, ran.stderr) == (2, f"yakei: ack: no open incident {QUEUE}; open: none\n")
    assert not repository.state.exists()

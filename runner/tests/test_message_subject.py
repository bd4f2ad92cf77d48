"""What the subject says in 78 characters."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from messages import UNSENDABLE, told
from suites import (
    BACKUP,
    PATIENTLY,
    POLICY,
    depth,
    failed,
    passed,
    run,
    warned,
)

from yakei.results import Severity


def test_the_subject_says_who_what_and_how_much() -> None:
    subject = told(run(depth(1396))).subject

    assert subject == "[CRIT] app01 queue analyze_page: waiting: 1396 rows (limit: below 1000)"


def test_a_long_host_gives_way_first() -> None:
    subject = told(run(depth(1396)), host="app01.a-rather-long-domain.example.com").subject

    assert subject == "[CRIT] app01 queue analyze_page: waiting: 1396 rows (limit: below 1000)"


def test_a_warning_says_so() -> None:
    text = told(run(warned()))

    assert text.subject.startswith("[WARN] app01")
    assert text.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("fact", "kept"),
    [
        pytest.param("a very long tale of a queue " * 3 + "(limit: at most 5 h)", "(limit 5 h)"),
        pytest.param("the oldest row of the queue of the crawler waits for 400 s", "400 s"),
        pytest.param("1396 rows wait for nobody knows how long " * 3, "1396 rows"),
    ],
)
def test_a_long_subject_keeps_its_number_and_limit(fact: str, kept: str) -> None:
    subject = told(run(failed(fact=fact, label="replica of a database with a long name"))).subject

    assert kept in subject
    assert len(subject) <= 78


@PATIENTLY
@given(st.text(), st.text(), st.text(max_size=100))
def test_every_subject_is_one_line_of_at_most_78_characters(
    fact: str, label: str, host: str
) -> None:
    subject = told(run(failed(fact=fact, label=label)), host=host).subject

    assert len(subject) <= 78
    assert not {unicodedata.category(each) for each in subject} & UNSENDABLE


def test_several_are_counted_and_the_worst_is_named() -> None:
    first = run(passed(BACKUP), failed(), warned("m.py::test_a"))
    second = run(failed(BACKUP, fact="27 h old", label="backup db00"), *first.results[1:])

    subject = told(first, second).subject

    assert subject == "[CRIT] app01: 3 failing, 1 new - backup db00: 27 h old"


def test_a_recovery_alone_is_ok() -> None:
    subject = told(run(failed()), run(passed()), policy=replace(POLICY, recovery=True)).subject

    assert subject.startswith("[OK] app01 queue analyze_page: recovered (was: 1396 waiting")

"""What a test's entry is taken to mean, written by our plugin or not, whole or torn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_entries import METADATA, entry, finished
from suites import BACKUP, PATIENTLY, QUEUE

from yakei.report import combine, read_attempt
from yakei.results import (
    CheckResult,
    KnownIssue,
    Measure,
    Outcome,
    ProblemKind,
    Severity,
    Unavailable,
)

SUITE = """
import pytest

def test_passes(): pass

def test_fails():
    print("said on the way")
    waiting = 1396
    assert waiting < 1000, "1396 waiting (limit 1000)"

def test_skips(): pytest.skip("no key queues")

@pytest.fixture
def database(): raise RuntimeError("connection refused")

def test_cannot_tell(database): pass

@pytest.mark.xfail
def test_is_expected_to_fail(): assert 0

@pytest.mark.timeout(0.2)
def test_hangs():
    while True: pass

@pytest.fixture
def torn():
    yield
    raise ValueError("left behind")

def test_breaks_in_teardown(torn): pass
"""


@pytest.fixture(scope="module")
def plain_report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What pytest-json-report writes of a suite that our plugin has not seen."""
    folder = tmp_path_factory.mktemp("plain")
    (folder / "test_suite.py").write_text(SUITE)
    (folder / "test_broken.py").write_text("import nothere\n")
    plugins = ("pytest_metadata.plugin", "pytest_jsonreport.plugin", "pytest_timeout")
    subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "--rootdir=.", "-p", "no:cacheprovider"),
            *(part for plugin in plugins for part in ("-p", plugin)),
            *("--continue-on-collection-errors", "--json-report-file=report.json", "--json-report"),
        ],
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdout=subprocess.DEVNULL,
        check=False,  # it fails, as it should
        timeout=50,
    )
    report: dict[str, Any] = json.loads((folder / "report.json").read_bytes())
    return report


@pytest.mark.parametrize(
    ("name", "outcome", "fact"),
    [
        ("passes", Outcome.PASSED, ""),
        ("fails", Outcome.FAILED, "1396 waiting (limit 1000)"),
        ("skips", Outcome.SKIPPED, "no key queues"),
        ("cannot_tell", Outcome.ERROR, "RuntimeError: connection refused"),
        ("is_expected_to_fail", Outcome.PASSED, ""),
        ("hangs", Outcome.TIMEOUT, "timed out after 0.2 s"),
        ("breaks_in_teardown", Outcome.ERROR, "ValueError: left behind"),
    ],
)
def test_a_plain_test_is_understood(
    plain_report: dict[str, Any], name: str, outcome: Outcome, fact: str
) -> None:
    results = {each.id: each for each in combine([read_attempt(plain_report, [])]).results}

    result = results[f"test_suite.py::test_{name}"]
    assert (result.outcome, result.fact) == (outcome, fact)
    assert result.label == name.replace("_", " ")


def test_a_plain_test_shows_its_traceback_and_what_it_said(plain_report: dict[str, Any]) -> None:
    results = {each.id: each for each in read_attempt(plain_report, []).results}

    assert "said on the way" in results["test_suite.py::test_fails"].output
    assert ">       assert waiting < 1000" in results["test_suite.py::test_fails"].output


def test_a_file_that_does_not_import_is_named_with_its_error(plain_report: dict[str, Any]) -> None:
    (problem,) = combine([read_attempt(plain_report, [])]).problems

    assert problem.kind is ProblemKind.COLLECTION
    error = "ModuleNotFoundError: No module named 'nothere'"
    assert problem.text.partition("\n")[0] == f"test_broken.py is not checked: {error}"


def test_what_the_plugin_noted_is_read() -> None:
    (result,) = read_attempt({"tests": [entry()]}, []).results

    assert replace(result, output="", started=None) == CheckResult(
        id=QUEUE,
        outcome=Outcome.FAILED,
        label="queue analyze_page",
        claim="The queue is short.",
        fact="waiting: 1396 rows (limit: below 1000)",
        details="Do        look",
        severity=Severity.WARNING,
        owner="search",
        runbook="https://wiki.example.com",
        failure_threshold=3,
        failure_window=5,
        depends_on=("database main", BACKUP),
        markers=("nightly", "smoke"),
        known_issue=KnownIssue(reference="SHOP-12", until="2027-01-31"),
        measures=(
            Measure(name="waiting", value=1396, unit="rows", limit="below 1000", status="critical"),
        ),
        notes=("first run",),
        memory={"seen": 3},
        duration=0.75,
        waited=1.5,
        worker="3",
        location="monitors/test_queues.py:23",
    )


def test_a_value_that_is_none_is_no_number() -> None:
    measures = [{"name": "a", "value": None}, {"name": "b", "value": float("nan")}]

    (result,) = read_attempt({"tests": [entry(measures=measures)]}, []).results

    assert [each.value for each in result.measures] == [None, None]


@pytest.mark.parametrize(
    ("threshold", "window", "read"),
    [
        pytest.param(3, 5, (3, 5), id="3 of 5"),
        pytest.param(3, None, (3, None), id="3 in a row"),
        pytest.param(6, 5, (6, None), id="more failures than runs"),
        pytest.param(3, 22, (3, None), id="more runs than are remembered"),
        pytest.param(None, 5, (None, None), id="a window alone"),
        pytest.param("3", [5], (None, None), id="no numbers"),
    ],
)
def test_a_window_that_makes_no_sense_is_none(
    threshold: object, window: object, read: tuple[int | None, int | None]
) -> None:
    test = entry(failure_threshold=threshold, failure_window=window)

    (result,) = read_attempt({"tests": [test]}, []).results

    assert (result.failure_threshold, result.failure_window) == read


def test_an_expected_failure_is_not_judged_where_what_it_needs_is_down() -> None:
    down = {"resource": "database main", "reason": "connection refused"}
    test = entry(outcome="not judged", unavailable=down)

    (result,) = read_attempt({"tests": [{**test, "outcome": "xfailed"}]}, []).results

    assert result.outcome is Outcome.NOT_JUDGED
    assert result.unavailable == Unavailable(resource="database main", reason="connection refused")


def test_names_that_are_none_are_left_out() -> None:
    test = entry(depends_on=["a", 3, None, "", "a"], markers="smoke", waited=-1, worker=2)

    (result,) = read_attempt({"tests": [test]}, []).results

    assert (result.depends_on, result.markers) == (("a",), ())
    assert (result.waited, result.worker) == (0.0, "")


# Damage


@pytest.mark.parametrize(
    "report",
    [
        pytest.param({"tests": 7}, id="tests are no list"),
        pytest.param({"tests": ["x"]}, id="an entry is text"),
        pytest.param({"tests": [{"outcome": "passed"}]}, id="an entry without a check"),
        pytest.param({}, id="empty"),
        pytest.param([], id="a list"),
    ],
)
def test_a_damaged_report_is_a_crash_and_never_an_exception(report: Any) -> None:
    problems = combine([read_attempt(report, [finished(QUEUE)])]).problems

    assert ProblemKind.CRASH in {each.kind for each in problems}


@pytest.mark.parametrize(
    "line", [{}, {"event": "what"}, {"event": "finished", "test": {}}, {"event": "started"}, "x"]
)
def test_a_damaged_line_of_the_journal_is_a_crash(line: Any) -> None:
    (problem,) = read_attempt(None, [line]).problems

    assert problem.kind is ProblemKind.CRASH


rubbish = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children),
    max_leaves=8,
)
torn_metadata = st.dictionaries(st.sampled_from(sorted(METADATA)), rubbish)


@PATIENTLY
@given(torn_metadata, st.sampled_from(["passed", "failed", "error", "skipped", "?"]))
def test_no_metadata_is_too_torn_to_be_read(metadata: dict[str, Any], outcome: str) -> None:
    test = {**entry(outcome=outcome), "metadata": {"yakei": metadata}}

    (result,) = combine([read_attempt({"tests": [test]}, [])]).results

    assert result.id == QUEUE


@PATIENTLY
@given(rubbish, st.lists(rubbish | st.dictionaries(st.sampled_from(["event", "test"]), rubbish)))
def test_no_rubbish_raises(report: Any, events: list[Any]) -> None:
    assert combine([read_attempt(report, events)]).problems

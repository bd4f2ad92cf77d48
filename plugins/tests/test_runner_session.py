"""What the plugin does differently when `yakei run` called: journal, metadata, schedule."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from runner_runs import Events, judge
from runner_runs import told as metadata

Run = Callable[..., Events]


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Run checks as the runner does; return the journal of this process."""

    def run_(checks: str, configuration: str = "", *options: str) -> Events:
        pytester.makepyfile(test_checks=checks)
        return judge(pytester, configuration, *options, start=pytester.runpytest_subprocess)

    return run_


def test_the_journal_says_what_is_collected_now(run: Run, pytester: pytest.Pytester) -> None:
    run("def test_it(): pass")
    lines = (pytester.path / "journal.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]

    places = [event["where"] for event in events if event["event"] == "collecting"]
    assert places[-2:] == ["test_checks.py", ""]


def test_the_journal_tells_the_run_as_it_goes(run: Run) -> None:
    events = run("def test_it(): pass")

    names = [event["event"] for event in events]
    assert names == ["session", "collected", "canary", "started", "finished", "end"]
    assert events[1]["checks"] == ["test_checks.py::test_it"]


def test_the_report_and_the_journal_say_the_same(run: Run, pytester: pytest.Pytester) -> None:
    events = run("def test_it(measure):\n    measure('a', 2).below(1)")

    _, told = json.loads((pytester.path / "report.json").read_text())["tests"]
    assert told == next(event["test"] for event in events if event["event"] == "finished")


def test_the_summary_has_no_more_to_look_through_than_it_prints(
    run: Run, pytester: pytest.Pytester
) -> None:
    """It looks through all of it for each failure: of thousands, that took minutes."""
    pytester.makeconftest(
        """
        def pytest_terminal_summary(terminalreporter):
            with open("kept", "w") as file:
                file.write(str([each.nodeid for each in terminalreporter.stats.get("", [])]))
        """
    )
    run(
        """
        import pytest

        @pytest.fixture
        def loud():
            yield
            print("down")

        def test_loud(loud): assert 0
        def test_it(): assert 0
        """
    )

    assert (pytester.path / "kept").read_text() == "['test_checks.py::test_loud']"


@pytest.mark.parametrize(
    ("body", "outcome", "fact"),
    [
        pytest.param("pass", "passed", "", id="passed"),
        pytest.param("assert 3 < 2", "failed", "assert 3 < 2", id="a plain assertion"),
        pytest.param("assert 3 < 2, 'late by 3 h'", "failed", "late by 3 h", id="with a text"),
        pytest.param("pytest.fail('gone')", "failed", "gone", id="pytest.fail"),
        pytest.param("1 / 0", "error", "cannot tell: ZeroDivisionError: *", id="an exception"),
        pytest.param("pytest.skip('no disk')", "skipped", "no disk", id="a skip"),
        pytest.param("raise CannotTell('EACCES')", "error", "cannot tell: EACCES", id="no answer"),
        pytest.param(
            "raise ResourceUnavailable('tunnel db02', 'no greeting')",
            "not judged",
            "cannot tell: tunnel db02: no greeting",
            id="a resource that is down",
        ),
        pytest.param("time.sleep(9)", "timeout", "timed out after 0.2 s at line *", id="a hang"),
    ],
)
def test_an_outcome_and_its_fact(run: Run, body: str, outcome: str, fact: str) -> None:
    checks = f"""
        import time
        import pytest
        from pytest_yakei.errors import CannotTell, ResourceUnavailable

        def test_it():
            {body}
    """

    told = metadata(run(checks, "", "--timeout=0.2"))

    assert told["outcome"] == outcome
    assert told["fact"].startswith(fact.rstrip("*"))


def test_what_a_probe_raises_in_a_fixture_is_an_error_and_not_a_verdict(run: Run) -> None:
    checks = """
        import pytest

        @pytest.fixture
        def answer():
            assert False, "no answer"

        def test_it(answer): pass
    """

    assert metadata(run(checks))["outcome"] == "error"


def test_markers_and_the_docstring_reach_the_report(run: Run) -> None:
    checks = '''
        import pytest

        @pytest.mark.owner("search")
        @pytest.mark.runbook("https://wiki.example.com/lag")
        @pytest.mark.severity("warning")
        @pytest.mark.every("1d")
        @pytest.mark.known_issue("T-1", until="2027-01-31")
        def test_it():
            """The crawler keeps up.

            More is for the reader of the file.
            """
    '''

    told = metadata(run(checks))

    assert (told["claim"], told["owner"]) == ("The crawler keeps up.", "search")
    assert (told["severity"], told["every"]) == ("warning", 86400.0)
    assert told["known_issue"] == {"reference": "T-1", "until": "2027-01-31"}


@pytest.mark.parametrize(
    ("written", "threshold", "window"), [("3", 3, None), ('"3 of 5"', 3, 5), ("runs=2", 2, None)]
)
def test_a_failure_threshold_reaches_the_report(
    run: Run, written: str, threshold: int, window: int | None
) -> None:
    checks = f"import pytest\n@pytest.mark.failure_threshold({written})\ndef test_it(): pass"

    told = metadata(run(checks))

    assert (told["failure_threshold"], told["failure_window"]) == (threshold, window)


def test_a_failure_threshold_of_an_entry_reaches_the_report(run: Run) -> None:
    configuration = """
        [databases]
        main = "sqlite:///q.db"
        [queues.a]
        database = "main"
        table = "a"
        max_depth = 5
        failure_threshold = "2 of 4"
    """

    told = metadata(run("def test_it(queue): pass", configuration), "test_it[a]")

    assert (told["failure_threshold"], told["failure_window"]) == (2, 4)


def test_the_markers_that_have_no_field_of_their_own_are_listed(run: Run) -> None:
    checks = """
        import pytest

        pytestmark = [pytest.mark.shop, pytest.mark.owner("shop-team")]

        @pytest.mark.smoke
        @pytest.mark.depends_on("test_other")
        @pytest.mark.failure_threshold(2)
        @pytest.mark.parametrize("side", ["a"])
        @pytest.mark.usefixtures("measure")
        def test_it(side): pass

        def test_other(): pass
    """

    assert metadata(run(checks), "test_it[a]")["markers"] == ["shop", "smoke"]


def test_an_expected_failure_over_a_dead_resource_is_not_judged(run: Run) -> None:
    checks = """
        import pytest

        @pytest.mark.xfail(reason="slow since the release")
        def test_it(database):
            assert database("main").scalar("select 1") == 2
    """
    configuration = '[databases]\nmain = "postgresql://u@127.0.0.1:1/app"\n'

    told = metadata(run(checks, configuration))

    assert told["outcome"] == "not judged"
    assert told["unavailable"]["resource"] == "database main"


def test_an_exception_that_cannot_say_itself_is_an_error_of_its_type(run: Run) -> None:
    checks = """
        class Mute(Exception):
            def __str__(self):
                raise TypeError("no words")

        def test_it():
            raise Mute
        def test_other(): pass
    """

    events = run(checks)

    assert (metadata(events)["outcome"], metadata(events)["fact"]) == ("error", "cannot tell: Mute")
    assert metadata(events, "test_other")["outcome"] == "passed"


def test_a_broken_warning_limit_alone_makes_a_warning(run: Run) -> None:
    told = metadata(run("def test_it(measure):\n    measure('free', 5).at_least(1, warn=6)"))

    assert (told["outcome"], told["severity"]) == ("failed", "warning")
    assert told["measures"][0]["status"] == "warning"


def test_what_is_not_configured_is_an_error(run: Run) -> None:
    told = metadata(run("def test_it(app_config): pass"))

    assert told["outcome"] == "error"
    assert "app.config: missing" in told["fact"]


def test_it_is_told_when_a_check_began_and_how_long_it_waited(run: Run) -> None:
    begun = time.time()
    events = run("import time\ndef test_before(): time.sleep(0.3)\ndef test_it(): pass")
    before, told = metadata(events, "test_before"), metadata(events)

    assert begun < before["started"] <= told["started"] - 0.3
    assert before["waited"] < 0.3 <= told["waited"]
    assert told["worker"] == ""


def test_memory_is_kept_of_a_check_that_was_judged_and_of_no_other(run: Run) -> None:
    checks = """
        def test_it(memory): memory["seen"] = 1
        def test_error(memory):
            memory["seen"] = 1
            1 / 0
    """

    events = run(checks)

    assert metadata(events)["memory"] == {"seen": 1}
    assert metadata(events, "test_error")["memory"] is None


def test_a_mistake_in_the_configuration_stops_the_run_with_one_line(run: Run) -> None:
    configuration = '[queues.a]\ndatabase = "main"\ntable = "a"\nmax_depth = "abc"\n'

    events = run("def test_it(): pass", configuration)

    (problem,) = (event for event in events if event["event"] == "problem")
    assert problem["kind"] == "configuration"
    assert 'queues.a.max_depth: expected a whole number, got "abc"' in problem["text"]


def test_a_file_that_does_not_import_is_told_and_the_others_are_judged(
    run: Run, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(test_broken="import no_such_module")

    events = run("def test_it(): pass", "", "--continue-on-collection-errors")

    assert metadata(events)["outcome"] == "passed"
    (problem,) = (event for event in events if event["event"] == "problem")
    assert (problem["kind"], problem["where"]) == ("collection", "test_broken.py")


def test_a_file_that_skips_itself_is_told_unless_it_may(
    run: Run, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(test_skipping="import pytest\npytest.importorskip('no_such_module')")

    told = run("def test_it(): pass")
    allowed = run("def test_it(): pass", '[run]\nallow_skips = ["test_skipping.py"]')

    (problem,) = (event for event in told if event["event"] == "problem")
    assert problem["text"].startswith("test_skipping.py is not judged: ")
    assert "problem" not in {event["event"] for event in allowed}


def test_a_password_that_is_a_common_word_breaks_nothing(
    run: Run, pytester: pytest.Pytester
) -> None:
    (pytester.path / "settings.toml").write_text('password = "failed"\n', encoding="utf-8")

    events = run("def test_it(): assert 0, 'login failed'", '[app]\nconfig = "settings.toml"\n')

    told = metadata(events)
    assert (told["outcome"], told["fact"]) == ("failed", "login [redacted]")


def test_a_second_process_leaves_out_what_the_first_has_begun(run: Run) -> None:
    checks = """
        import os
        def test_first(): pass
        def test_killer(): os._exit(0)
        def test_last(): pass
    """
    first = run(checks)

    second = run(checks, "", "--yakei-resume")

    assert "end" not in {event["event"] for event in first}
    started = [event["nodeid"] for event in second if event["event"] == "started"]
    assert started == ["test_checks.py::test_last"]


DEEP = """
    import pytest

    @pytest.mark.every("1d")
    def test_deep(): pass
    def test_it(): pass
"""


def test_a_check_that_is_not_due_is_left_out_and_named(run: Run, pytester: pytest.Pytester) -> None:
    remember_judged(pytester.path / ".yakei", "test_checks.py::test_deep")
    collected = run(DEEP)[1]

    assert collected["checks"] == ["test_checks.py::test_it"]
    assert collected["not_due"] == ["test_checks.py::test_deep"]


def test_all_checks_run_where_all_are_asked_for(run: Run, pytester: pytest.Pytester) -> None:
    remember_judged(pytester.path / ".yakei", "test_checks.py::test_deep")

    collected = run(DEEP, "", "--yakei-all")[1]

    assert collected["checks"] == ["test_checks.py::test_it", "test_checks.py::test_deep"]
    assert collected["not_due"] == []


def remember_judged(folder: Path, check: str) -> None:
    folder.mkdir()
    with closing(sqlite3.connect(folder / "state.sqlite3")) as state, state:
        state.execute("create table judged (check_id text primary key, at real not null)")
        state.execute("insert into judged values (?, ?)", (check, time.time() - 3600))


def test_a_limit_of_its_own_is_told_to_the_runner(run: Run) -> None:
    checks = "import pytest\n@pytest.mark.timeout(900)\ndef test_it(): pass"

    assert run(checks)[1]["timeouts"] == {"test_checks.py::test_it": 900.0}


def test_no_secret_reaches_the_journal_or_the_report(run: Run, pytester: pytest.Pytester) -> None:
    (pytester.path / "settings.toml").write_text('api_key = "hush-hush"\n', encoding="utf-8")
    checks = """
        import logging
        def test_it(app_config, measure, memory):
            key = app_config["api_key"]
            print(key)
            logging.warning(key)
            memory["key"] = key
            measure(key, 2, unit=key).below(1)
    """

    run(checks, '[app]\nconfig = "settings.toml"\n', "-l")
    files = [pytester.path / "journal.jsonl", pytester.path / "report.json"]

    assert "hush-hush" not in "".join(file.read_text() for file in files)

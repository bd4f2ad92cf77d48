"""Each run proves that a failing check is seen to fail, whatever a conftest.py does."""

from __future__ import annotations

import json
import os

import pytest
from repository import FAILING, PASSING, Ran, Repository

CANARY = "yakei::canary"
UNHEARD = "monitor: the canary was not seen to fail: "
BOTH = pytest.mark.parametrize("slots", [1, 4], ids=["one by one", "in slots"])

CHEERFUL = """
    import pytest

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport():
        report = yield
        report.outcome = "passed"
        return report
"""
CHEERFUL_LAST = CHEERFUL.replace("wrapper=True", "wrapper=True, tryfirst=True")
TIDY = """
    def pytest_collection_modifyitems(config, items):
        unknown = [item for item in items if "monitors/" not in item.nodeid]
        config.hook.pytest_deselected(items=unknown)
        items[:] = [item for item in items if item not in unknown]
"""
PICKY = """
    import pytest

    def pytest_runtest_setup(item):
        if not item.nodeid.startswith("monitors"):
            pytest.skip("no check of mine")
"""
EXPECTING = """
    import pytest

    def pytest_collection_modifyitems(items):
        for item in items:
            item.add_marker(pytest.mark.xfail(strict=True))
"""
TRANSLATING = """
    import pytest

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call():
        try:
            return (yield)
        except Exception:
            raise AssertionError("something went wrong") from None
"""
SORTING = """
    def pytest_collection_modifyitems(items):
        items.sort(key=lambda item: (item.module.__name__, item.cls is None, item.fixturenames))
        items.reverse()
"""
GREEDY = """
    import pytest

    @pytest.fixture(autouse=True)
    def everybody_needs_this(request):
        assert request.node.name.startswith("test_")
        assert request.function
"""
HASTY = """
    def pytest_configure(config):
        config.option.maxfail = 1
"""


def set_up(repository: Repository, conftest: str, *, slots: int = 1) -> None:
    """Write a check that passes and a conftest.py beside it."""
    repository.configure(run=f'slots = {slots}\nlog = "run.log"')
    repository.check("index", PASSING)
    repository.write("monitors/conftest.py", conftest)


def counted(ran: Ran) -> str:
    """Return the line of the message that counts the checks."""
    return next(line for line in ran.stdout.splitlines() if "Full log: " in line)


@BOTH
@pytest.mark.slow
@pytest.mark.parametrize(
    ("conftest", "what"),
    [
        pytest.param(CHEERFUL, "it is reported as passed", id="every failure becomes a pass"),
        pytest.param(CHEERFUL_LAST, "pytest reports it as passed", id="after all others"),
        pytest.param(TIDY, "it did not run", id="what is unknown is deselected"),
        pytest.param(PICKY, "it is reported as skipped", id="what is unknown is skipped"),
        pytest.param(EXPECTING, "it is reported as passed", id="all is expected to fail"),
        pytest.param(
            TRANSLATING,
            'it is reported to have failed with "something went wrong"',
            id="all failures have one text",
        ),
    ],
)
def test_a_run_in_which_failures_are_not_seen_is_broken(
    repository: Repository, conftest: str, what: str, slots: int
) -> None:
    set_up(repository, conftest, slots=slots)

    ran = repository.run()

    assert f"{UNHEARD}{what}; what this run says of other checks cannot be trusted" in ran.stdout
    assert "Do        1. look in conftest.py" in ran.stdout
    assert (ran.code, ran.stderr) == (75, "")


@BOTH
@pytest.mark.slow
@pytest.mark.parametrize("conftest", ["", SORTING, GREEDY, HASTY])
def test_a_harmless_conftest_does_not_hear_of_the_canary(
    repository: Repository, conftest: str, slots: int
) -> None:
    set_up(repository, conftest, slots=slots)
    repository.check("more", PASSING)

    ran = repository.run()

    assert (ran.code, ran.silent) == (0, True)
    assert "1 canary" in (repository.folder / "run.log").read_text()


@pytest.mark.slow
def test_it_is_counted_nowhere(repository: Repository) -> None:
    set_up(repository, "")
    repository.check("crawler", FAILING)

    ran = repository.run("-p")

    assert counted(ran).startswith("2 checks: 1 failed, 1 passed in ")
    assert CANARY not in ran.stdout
    assert CANARY not in repository.call("status").stdout


@pytest.mark.slow
def test_the_log_does_not_frighten(repository: Repository) -> None:
    set_up(repository, "")

    repository.run()
    log = (repository.folder / "run.log").read_text()

    assert "1 passed, 1 canary in " in log
    assert "FAILURES" not in log
    assert "Traceback" not in log


@pytest.mark.slow
def test_it_comes_first_and_takes_no_time(repository: Repository) -> None:
    set_up(repository, SORTING)

    repository.run()
    (journal,) = repository.state.glob("runs/*/run.jsonl")
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    events = [line for line in lines if line["event"] != "collecting"]
    entry = events[2]["test"]

    assert [event["event"] for event in events[:4]] == ["session", "collected", "canary", "started"]
    assert sum(entry[phase]["duration"] for phase in ("setup", "call", "teardown")) < 0.05


@pytest.mark.slow
@pytest.mark.parametrize(
    "part", [("-k", "index"), ("-m", "not heavy"), ("monitors/test_index.py",)]
)
def test_a_run_of_a_part_has_it_too(repository: Repository, part: tuple[str, ...]) -> None:
    set_up(repository, CHEERFUL)
    repository.write("pytest.ini", "[pytest]\nmarkers = heavy\n")

    assert UNHEARD in repository.run(*part).stdout


@pytest.mark.slow
def test_a_confirmation_has_it_too(repository: Repository) -> None:
    """What passes when it is run once more must have been able to fail."""
    repository.configure(run='confirm_after = "0.1s"')
    repository.check("crawler", FAILING)
    hiding = CHEERFUL.replace(
        'report.outcome = "passed"',
        'if "--yakei-only" in str(__import__("sys").argv):\n            report.outcome = "passed"',
    )
    repository.write("monitors/conftest.py", hiding)

    ran = repository.run()

    assert UNHEARD in ran.stdout
    assert counted(ran).startswith("1 check: 1 failed")


@pytest.mark.slow
def test_the_process_that_goes_on_after_a_crash_has_its_own(repository: Repository) -> None:
    set_up(repository, "")
    repository.check("dies", "import os\ndef test_a(): os._exit(3)\ndef test_b(): pass")

    ran = repository.run()
    (journal,) = repository.state.glob("runs/*/run.jsonl")

    assert journal.read_text().count('"event": "canary"') == 2
    assert UNHEARD not in ran.stdout
    assert counted(ran).startswith("3 checks: 1 crashed, 2 passed")


@pytest.mark.slow
def test_what_passed_in_such_a_run_closes_no_incident(repository: Repository) -> None:
    repository.check("crawler", FAILING)
    repository.run()
    repository.write("monitors/conftest.py", CHEERFUL)

    repository.run()

    assert "crawler keeps up" in repository.call("status").stdout


@pytest.mark.slow
def test_it_may_be_seen_again_and_then_all_is_well(repository: Repository) -> None:
    set_up(repository, CHEERFUL)
    repository.run()
    repository.write("monitors/conftest.py", "")

    assert repository.run().code == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("monitors", "arguments", "fact"),
    [
        pytest.param("", (), "(nothing collected)", id="no check at all"),
        pytest.param(PASSING, ("-k", "nobody"), "(nothing collected)", id="none is asked for"),
        pytest.param(
            "import pytest\ndef test_a(): pytest.skip('no')", (), "(everything skipped)", id="skips"
        ),
    ],
)
def test_for_a_run_that_judges_nothing_it_counts_for_nothing(
    repository: Repository, monitors: str, arguments: tuple[str, ...], fact: str
) -> None:
    repository.check("it", monitors)

    ran = repository.run(*arguments)

    assert f"NOT RUNNING - 0 checks executed {fact}" in ran.stdout
    assert UNHEARD not in ran.stdout


@pytest.mark.slow
def test_a_conftest_that_skips_everything_is_told_as_that(repository: Repository) -> None:
    set_up(repository, 'import pytest\ndef pytest_runtest_setup(): pytest.skip("weekend")')

    ran = repository.run()

    assert "(everything skipped): 1 check skipped, none judged" in ran.stdout
    assert UNHEARD not in ran.stdout


@pytest.mark.slow
def test_assertions_that_python_leaves_out_do_not_silence_it(repository: Repository) -> None:
    """The rewriting of pytest keeps those of checks, and so it must keep the canary's."""
    set_up(repository, "")
    repository.check("crawler", "def test_it():\n    assert 1 == 2, 'late'")

    ran = repository.run(environment={"PYTHONOPTIMIZE": "1", "LANG": os.environ.get("LANG", "C")})

    assert UNHEARD not in ran.stdout
    assert "late" in ran.stdout


@pytest.mark.slow
def test_plain_pytest_has_none(repository: Repository) -> None:
    repository.check("index", PASSING)
    ran = repository.call("doctor")

    assert CANARY not in ran.stdout
    assert "checks: 1 collected" in ran.stdout

"""What a check depends on: names become ids, and a wrong name is told."""

from __future__ import annotations

import pytest
from runner_runs import RunAsRunner, as_runner, problems, told

__all__ = ["as_runner"]

PING = "monitors/test_net.py::test_ping"
NET = """
    import pytest

    def test_ping(): pass

    @pytest.mark.parametrize("host", ["a", "b"])
    def test_port(host): pass

    class TestWeb:
        def test_answers(self): pass
"""
QUEUES = """
    [databases]
    main = "sqlite:///q.db"
    [queues.jobs]
    database = "main"
    table = "jobs"
    max_depth = 10
    {more}
"""


@pytest.fixture
def net(pytester: pytest.Pytester) -> None:
    """Give checks for others to depend on."""
    pytester.makepyfile(**{"monitors/test_net": NET})


def depending(*names: object) -> str:
    """Return a check that depends on these."""
    written = ", ".join(map(repr, names))
    return f"""
        import pytest

        @pytest.mark.depends_on({written})
        def test_it(): pass
    """


@pytest.mark.parametrize(
    ("written", "ids"),
    [
        pytest.param(PING, [PING], id="its id"),
        pytest.param("test_ping", [PING], id="the function"),
        pytest.param("test_net.py::test_ping", [PING], id="the file and the function"),
        pytest.param(
            "test_port",
            ["monitors/test_net.py::test_port[a]", "monitors/test_net.py::test_port[b]"],
            id="each of its parameters",
        ),
        pytest.param("test_port[b]", ["monitors/test_net.py::test_port[b]"], id="a parameter"),
        pytest.param(
            "test_answers", ["monitors/test_net.py::TestWeb::test_answers"], id="a method"
        ),
        pytest.param("database main", ["database main"], id="a resource"),
        pytest.param(
            "queue jobs", ["monitors/test_queue.py::test_depth[jobs]"], id="a configured label"
        ),
    ],
)
@pytest.mark.usefixtures("net")
def test_a_name_becomes_ids(
    as_runner: RunAsRunner, pytester: pytest.Pytester, written: str, ids: list[str]
) -> None:
    pytester.makepyfile(**{"monitors/test_queue": "def test_depth(queue): pass"})

    events = as_runner(depending(written), QUEUES.format(more=""))

    assert told(events)["depends_on"] == ids
    assert not problems(events)


@pytest.mark.parametrize(
    ("written", "mistake"),
    [
        pytest.param(("test_pong",), '"test_pong"; did you mean test_ping?', id="a slip"),
        pytest.param(("database mian",), "did you mean database main?", id="a resource"),
        pytest.param(("zzz",), "expected the name of a check, file::function, or", id="unlike all"),
        pytest.param(("test_it",), "depends on itself: ", id="itself"),
        pytest.param((), "expected the name of a check, or of a resource", id="nothing"),
        pytest.param((3,), "expected text, got 3", id="a number"),
    ],
)
@pytest.mark.usefixtures("net")
def test_a_wrong_name_is_a_problem_of_the_collection(
    as_runner: RunAsRunner, written: tuple[object, ...], mistake: str
) -> None:
    """The check is not run, and the others are."""
    events = as_runner(depending(*written), QUEUES.format(more=""))

    (problem,) = problems(events)
    assert mistake in problem
    assert next(event["nodeid"] for event in events if event["event"] == "started") == PING


def test_a_name_that_several_functions_have_needs_the_file(
    as_runner: RunAsRunner, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(**{"monitors/test_a": "def test_ping(): pass"})
    pytester.makepyfile(**{"monitors/test_b": "def test_ping(): pass"})

    (problem,) = problems(as_runner(depending("test_ping")))

    assert "may be any of monitors/test_a.py::test_ping, monitors/test_b.py::test_ping" in problem


def test_a_circle_is_a_mistake_of_all_that_are_in_it(as_runner: RunAsRunner) -> None:
    """Each would explain the other, and nobody would hear of either."""
    checks = """
        import pytest

        @pytest.mark.depends_on("test_b")
        def test_a(): pass
        @pytest.mark.depends_on("test_a")
        def test_b(): pass
    """

    first, second = problems(as_runner(checks))

    assert first.endswith(
        "test_checks.py::test_a -> monitors/test_checks.py::test_b -> "
        "monitors/test_checks.py::test_a"
    )
    assert "depends on itself" in second


@pytest.mark.parametrize(
    ("option", "kept"),
    [
        pytest.param(["-k", "test_it"], PING, id="-k sees the whole suite"),
        pytest.param(["monitors/test_checks.py::test_it"], "test_ping", id="an id does not"),
    ],
)
@pytest.mark.usefixtures("net")
def test_in_a_part_of_the_suite_what_is_not_seen_is_no_mistake(
    as_runner: RunAsRunner, option: list[str], kept: str
) -> None:
    events = as_runner(depending("test_ping"), "", *option)

    assert told(events)["depends_on"] == [kept]
    assert not problems(events)


def test_a_file_that_does_not_import_makes_no_mistake_of_what_names_its_checks(
    as_runner: RunAsRunner, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(**{"monitors/test_net": "import no_such_module"})

    events = as_runner(depending("test_ping"), "", "--continue-on-collection-errors")

    assert told(events)["depends_on"] == ["test_ping"]
    assert len(problems(events)) == 1


@pytest.mark.usefixtures("net")
def test_an_entry_may_say_it_for_its_checks(
    as_runner: RunAsRunner, pytester: pytest.Pytester
) -> None:
    checks = """
        import pytest

        @pytest.mark.depends_on("database main")
        def test_it(queue): pass
    """

    events = as_runner(checks, QUEUES.format(more='depends_on = ["test_ping"]'))

    assert sorted(told(events, "test_it[jobs]")["depends_on"]) == ["database main", PING]


@pytest.mark.usefixtures("net")
def test_the_order_stays_as_it_is(as_runner: RunAsRunner, pytester: pytest.Pytester) -> None:
    """Alerting is suppressed, and never checking."""
    checks = depending("test_ping").replace("pass", "assert 0")
    pytester.makepyfile(**{"monitors/test_a": checks})

    events = as_runner()

    begun = [event["nodeid"] for event in events if event["event"] == "started"]
    assert begun[:2] == ["monitors/test_a.py::test_it", PING]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param(
            [], '*PytestWarning: depends_on: no check or resource "test_pong"*', id="said"
        ),
        pytest.param(
            ["-W", "error"], "*ERROR: *no check or resource*", id="an error with -W error"
        ),
    ],
)
def test_plain_pytest_warns(pytester: pytest.Pytester, options: list[str], said: str) -> None:
    pytester.makepyfile(**{"monitors/test_checks": depending("test_pong")})
    (pytester.path / "yakei.toml").write_text("", encoding="utf-8")

    result = pytester.runpytest_subprocess("-p", "pytest_yakei.plugin", *options)

    (result.stderr if options else result.stdout).fnmatch_lines(said)


def test_plain_pytest_without_a_configuration_knows_too_little_to_warn(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(depending("database main"))

    result = pytester.runpytest_subprocess("-p", "pytest_yakei.plugin")

    result.assert_outcomes(passed=1, warnings=0)

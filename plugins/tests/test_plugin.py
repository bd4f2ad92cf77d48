"""The plugin as a developer meets it: fixtures, markers, configured checks, plain `pytest`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Run = Callable[..., pytest.RunResult]

QUEUES = """
    def test_depth(queue):
        "The queue is short."
        assert queue.settings.max_depth
"""


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Run pytest on one file of checks, with a configuration file beside it."""

    def run_(checks: str, configuration: str | None = "", *options: str) -> pytest.RunResult:
        pytester.makepyfile(test_checks=checks)
        if configuration is not None:
            (pytester.path / "yakei.toml").write_text(configuration, encoding="utf-8")
        return pytester.runpytest_inprocess("-p", "pytest_yakei.plugin", *options)

    return run_


def test_a_check_reads_the_settings_of_the_application(run: Run, pytester: pytest.Pytester) -> None:
    (pytester.path / "settings.toml").write_text("[limits]\ndepth = 12\n", encoding="utf-8")
    checks = "def test_it(app_config):\n    assert app_config['limits.depth'] == 12"

    result = run(checks, '[app]\nconfig = "settings.toml"\n')

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines("yakei: checked by */yakei.toml, application settings from *.toml")


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        pytest.param(None, "*no yakei.toml from here upwards*", id="no configuration"),
        pytest.param("", "*app.config: missing*", id="no [app]"),
        pytest.param('[app]\nconfig = "no.toml"', "*no.toml do not exist*", id="no settings"),
    ],
)
def test_plain_pytest_skips_what_is_not_configured(
    run: Run, configuration: str | None, reason: str
) -> None:
    result = run("def test_it(app_config): pass", configuration, "-rs")

    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(f"SKIPPED*{reason}")


def test_plain_pytest_skips_a_database_that_is_not_configured(run: Run) -> None:
    checks = "def test_it(database): database('main')"

    result = run(checks, '[databases]\nother = "sqlite:///o.db"', "-rs")

    result.stdout.fnmatch_lines("SKIPPED*databases.main: not in */yakei.toml*other*")


def test_a_broken_configuration_fails_with_one_line_and_no_traceback(run: Run) -> None:
    result = run("def test_it(app_config): pass", "[app]\nconfg = 1")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines("*yakei.toml: app.confg: unknown key; did you mean config?")
    result.stdout.no_fnmatch_line("*Traceback*")


def test_each_entry_of_a_section_is_a_check_of_its_own(run: Run) -> None:
    configuration = """
        [databases]
        main = "sqlite:///q.db"
        [queues.updater]
        database = "main"
        table = "updater"
        max_depth = 50
        owner = "search"
        [queues.analyze_page]
        database = "main"
        table = "analyze_page"
        max_depth = 1000
    """

    result = run(QUEUES, configuration, "-v")

    result.stdout.fnmatch_lines(["*test_depth?updater? PASSED*", "*analyze_page? PASSED*"])


def test_a_section_that_is_absent_has_no_checks_and_no_skips(run: Run) -> None:
    result = run(QUEUES + "\n    def test_other(): pass", "[run]\n")

    result.assert_outcomes(passed=1)


ONLY_WITH = """
    import pytest

    @pytest.mark.only_with("max_depth")
    def test_depth(queue): pass

    @pytest.mark.only_with("max_age", "max_stall")
    def test_age(queue): pass
"""


@pytest.mark.parametrize(
    ("limits", "names"),
    [
        pytest.param("max_depth = 5", ["test_depth"], id="one"),
        pytest.param(
            'max_stall = "5m"\nprogress_column = "id"', ["test_age"], id="either of two keys"
        ),
    ],
)
def test_a_check_exists_only_for_entries_with_its_limit(
    run: Run, limits: str, names: list[str]
) -> None:
    """Without a limit it would pass, and have judged nothing."""
    entry = '[databases]\nmain = "sqlite:///q.db"\n[queues.a]\ndatabase = "main"\ntable = "a"\n'

    result = run(ONLY_WITH, entry + limits, "--collect-only", "-q")

    collected = [line.partition("::")[2] for line in result.outlines if "::" in line]
    assert collected == [f"{name}[a]" for name in names]


def test_an_unknown_table_stops_the_collection_with_one_line(run: Run) -> None:
    result = run(QUEUES, "[quues.x]\n")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines("*quues: unknown key; did you mean queues?")


def test_a_fixture_of_the_application_with_our_name_stays_its_own(run: Run) -> None:
    checks = """
        import pytest

        @pytest.fixture
        def queue():
            return ["job"]

        def test_it(queue):
            assert queue == ["job"]
    """

    run(checks, '[queues.a]\nmax_depth = "nonsense"').assert_outcomes(passed=1)


def test_the_markers_are_declared(run: Run) -> None:
    checks = """
        import pytest

        @pytest.mark.owner("db")
        @pytest.mark.severity("warning")
        @pytest.mark.runbook("https://wiki.example.com")
        @pytest.mark.every("1d", at="04:00")
        @pytest.mark.smoke
        @pytest.mark.known_issue("T-1", until="2027-01-31")
        def test_it(): pass
    """

    run(checks, None, "--strict-markers").assert_outcomes(passed=1)


@pytest.mark.parametrize("marker", ['every("soon")', "every(3600)", 'failure_threshold("most")'])
def test_a_marker_that_the_runner_would_refuse_ends_no_session(run: Run, marker: str) -> None:
    checks = f"""
        import pytest

        @pytest.mark.{marker}
        def test_it(measure):
            measure("waiting", 1, unit="rows").below(10)
    """

    result = run(checks, "", "-p", "pytest_jsonreport", "--json-report")

    result.assert_outcomes(passed=1)


def test_memory_starts_empty_and_is_not_written_by_plain_pytest(
    run: Run, pytester: pytest.Pytester
) -> None:
    checks = "def test_it(memory):\n    memory['seen'] = memory.get('seen', 0) + 1"

    run(checks).assert_outcomes(passed=1)
    assert not (pytester.path / ".yakei").exists()


def test_secrets_are_shown_nowhere(run: Run, pytester: pytest.Pytester) -> None:
    (pytester.path / "settings.toml").write_text(
        'url = "postgres://u:S3cr3t@h/d"\napi_key = "hush-hush"\n', encoding="utf-8"
    )
    checks = """
        import sys, warnings

        def test_it(app_config):
            url, key = app_config["url"], app_config["api_key"]
            print("out", url, key)
            print("err", key, file=sys.stderr)
            assert url == "", key

        def test_exception(app_config):
            raise RuntimeError(app_config["api_key"])
    """

    result = run(checks, '[app]\nconfig = "settings.toml"', "-l", "-ra", "--junitxml=j.xml")
    shown = result.stdout.str() + result.stderr.str() + (pytester.path / "j.xml").read_text()

    assert "[redacted]" in shown
    assert "S3cr3t" not in shown
    assert "hush-hush" not in shown.replace("assert 'hush-hush'", "")

"""In an application's ordinary test suite the plugin does nothing at all."""

from __future__ import annotations

import sys

import pytest

WATCH = """
    import sys

    touched = []

    def watch(event, arguments):
        if event.startswith("socket.") or event == "sqlite3.connect":
            touched.append((event, arguments))
        if event == "open" and str(arguments[0]).endswith("yakei.toml"):
            touched.append((event, arguments[0]))

    sys.addaudithook(watch)

    def pytest_sessionfinish():
        print("touched", touched)
"""

SUITE = """
    import logging, sys, warnings
    import pytest

    def test_passes(): pass
    def test_fails(): assert 1 == 2, "postgres://u:S3cr3t@h/d"
    @pytest.mark.skip
    def test_skips(): pass
    @pytest.mark.xfail
    def test_is_expected_to_fail(): assert False
    def test_errs(no_such_fixture): pass
    def test_prints(capsys): print("password=S3cr3t")
"""


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makepyfile(test_inert_suite=SUITE)
    pytester.makeconftest(WATCH)
    (pytester.path / "yakei.toml").write_text("not even TOML", encoding="utf-8")
    return pytester


def test_it_opens_no_socket_and_reads_no_file(suite: pytest.Pytester) -> None:
    result = suite.runpytest_subprocess("-p", "pytest_yakei.plugin", "-s")

    result.stdout.fnmatch_lines("*touched ?]")


def test_it_changes_no_outcome_and_no_text(suite: pytest.Pytester) -> None:
    with_it = suite.runpytest_subprocess("-p", "pytest_yakei.plugin", "-rA", "--durations=0")
    without = suite.runpytest_subprocess("-p", "no:pytest_yakei.plugin", "-rA", "--durations=0")

    assert with_it.parseoutcomes() == without.parseoutcomes()
    assert "S3cr3t" in with_it.stdout.str()


def test_it_loads_no_driver_and_no_http_library(suite: pytest.Pytester) -> None:
    code = (
        "import sys, pytest_yakei.plugin; heavy = {'requests', 'psycopg2', 'pymysql', 'sqlite3',"
        " 'yaml', 'tomllib'} & set(sys.modules); print(sorted(heavy)); sys.exit(bool(heavy))"
    )

    assert suite.run(sys.executable, "-c", code).ret == 0

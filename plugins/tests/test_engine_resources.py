"""Checks that share a host do not strike it all at once, and hinder nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from counting_server import CountingServer, counting_server
from engine_runs import run_checks

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]

ASKING = """
import pytest, requests, time

@pytest.mark.resource("db01"{limit})
@pytest.mark.parametrize("number", range(12))
def test_shared(number): assert requests.get("{url}/shared", timeout=9).status_code == 204

@pytest.mark.parametrize("number", range(12))
def test_other(number): assert requests.get("{url}/other", timeout=9).status_code == 204
"""


@pytest.fixture
def server() -> Iterator[CountingServer]:
    """A web server that takes a tenth of a second for each answer."""
    with counting_server(0.1) as server:
        yield server


@pytest.mark.parametrize("limit", [1, 3])
def test_no_more_checks_of_a_resource_run_at_once_than_its_marker_allows(
    server: CountingServer, tmp_path: Path, limit: int
) -> None:
    checks = ASKING.format(url=server.url, limit=f", limit={limit}")
    ended = run_checks(tmp_path, checks, "--yakei-slots=8")

    assert set(ended.outcomes.values()) == {"passed"}
    assert len(ended.outcomes) == 24
    assert server.most["/shared"] == limit


def test_the_configuration_limits_a_resource_too(server: CountingServer, tmp_path: Path) -> None:
    configuration = "[resources.db01]\nmax_concurrent = 2\n"
    (tmp_path / "yakei.toml").write_text(configuration, encoding="utf-8")
    run_checks(tmp_path, ASKING.format(url=server.url, limit=", limit=5"), "--yakei-slots=8")

    assert server.most["/shared"] == 2


def test_other_checks_go_on_while_a_resource_is_full(
    server: CountingServer, tmp_path: Path
) -> None:
    """The first check in the order waits, and the slots do not."""
    run_checks(tmp_path, ASKING.format(url=server.url, limit=", limit=1"), "--yakei-slots=4")
    shared, other = server.arrivals["/shared"], server.arrivals["/other"]

    assert server.most["/other"] >= 3
    assert other[-1] < shared[6]


def test_a_check_of_two_resources_needs_both_to_be_free(
    server: CountingServer, tmp_path: Path
) -> None:
    checks = f"""
import pytest, requests
def ask(path): requests.get("{server.url}/" + path, timeout=9)
one, two = pytest.mark.resource("one", limit=1), pytest.mark.resource("two", limit=1)
four = pytest.mark.parametrize("number", range(4))

@one
@four
def test_one(number): ask("one")

@one
@two
@four
def test_both(number):
    ask("one")
    ask("two")

@two
@four
def test_two(number): ask("two")
"""
    ended = run_checks(tmp_path, checks, "--yakei-slots=4")

    assert list(ended.outcomes.values()) == ["passed"] * 12
    assert server.most == {"/one": 1, "/two": 1}


def test_a_check_that_is_killed_gives_its_resource_back(
    server: CountingServer, tmp_path: Path
) -> None:
    checks = """
import os, pytest
@pytest.mark.resource("db01", limit=1)
@pytest.mark.parametrize("number", range(6))
def test_dies(number): os._exit(1)
"""
    ended = run_checks(tmp_path, checks, "--yakei-slots=3")

    assert list(ended.outcomes.values()) == ["failed"] * 6


def test_the_slots_do_not_strike_a_host_in_the_same_moment(
    server: CountingServer, tmp_path: Path
) -> None:
    server.pause = 1.0
    run_checks(tmp_path, ASKING.format(url=server.url, limit=""), "--yakei-slots=8")
    arrivals = server.arrivals["/shared"][:8]

    assert arrivals[-1] - arrivals[0] > 0.05


def test_a_resource_without_a_limit_takes_all_slots(server: CountingServer, tmp_path: Path) -> None:
    server.pause = 3.0
    checks = ASKING.format(url=server.url, limit="")
    run_checks(tmp_path, checks, "--yakei-slots=8", "-k", "shared")

    assert server.most["/shared"] == 8


@pytest.mark.parametrize(
    "marker",
    [
        pytest.param("resource()", id="no name"),
        pytest.param("resource('db01', limit=0)", id="limit 0"),
        pytest.param("resource('db01', limit='four')", id="a limit that is no number"),
    ],
)
def test_a_marker_that_limits_nothing_stops_no_other_check(tmp_path: Path, marker: str) -> None:
    checks = f"import pytest\n@pytest.mark.{marker}\ndef test_a(): pass\ndef test_b(): pass"

    assert set(run_checks(tmp_path, checks, "--yakei-slots=2").outcomes.values()) == {"passed"}


def test_the_runner_refuses_a_marker_that_limits_nothing(tmp_path: Path) -> None:
    (tmp_path / "yakei.toml").write_text("[run]", encoding="utf-8")
    checks = "import pytest\n@pytest.mark.resource('a', limit=0)\ndef test_it(): pass"
    journal = tmp_path / "journal"
    run_checks(tmp_path, checks, "--yakei-run", f"--yakei-journal={journal}")

    assert "marker resource: expected a limit of at least 1, got 0" in journal.read_text()
